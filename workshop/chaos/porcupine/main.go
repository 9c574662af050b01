// Checks the registers of `redis-ha chaos --histories FILE` with Porcupine, a checker of linearizability by others, and compares what it says of each with what
// this project's own checker said.
//
// A register holds nothing at first; a read gives what was written last. A write whose outcome nobody knows may take effect at any later time, or never.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

// One line of the file.
type register struct {
	Round      int
	Fault      string
	Register   string
	Verdict    string
	Operations []operation
}

type operation struct {
	Kind string
	// Nil: a read found nothing.
	Value *string
	// Milliseconds of one monotonic clock. EndedMs is nil for a write whose outcome nobody knows.
	SentMs  float64
	EndedMs *float64
}

type input struct {
	write bool
	value string
}

var model = porcupine.Model{
	Init: func() interface{} { return "" },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		if in.(input).write {
			return true, in.(input).value
		}
		return out == state, state
	},
	DescribeOperation: func(in, out interface{}) string { return fmt.Sprint(in, " ", out) },
}

// Longer than any register of a run needs: the search is exponential where many operations overlap.
const patience = 20 * time.Second

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: porcupine FILE, as redis-ha chaos --histories has written it"))
	}
	file, err := os.Open(os.Args[1])
	fail(err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<28)
	checked, operations, violated, unknown, differs := 0, 0, 0, 0, 0
	for lines.Scan() {
		var one register
		fail(json.Unmarshal(lines.Bytes(), &one))
		checked++
		operations += len(one.Operations)
		verdict := map[porcupine.CheckResult]string{
			porcupine.Ok: "linearizable", porcupine.Illegal: "violated", porcupine.Unknown: "unknown",
		}[porcupine.CheckOperationsTimeout(model, history(one.Operations), patience)]
		switch verdict {
		case "violated":
			violated++
			fmt.Printf("round %d, %s: no order explains register %s\n", one.Round, one.Fault, one.Register)
		case "unknown":
			unknown++
		}
		if verdict != "unknown" && verdict != one.Verdict {
			differs++
			fmt.Printf("round %d, %s: register %s is %s here, and the project's own checker says %s\n", one.Round, one.Fault, one.Register, verdict, one.Verdict)
		}
	}
	fail(lines.Err())
	fmt.Printf("%d registers, %d operations: %d without an order, %d not decided, %d judged otherwise than by the project's own checker\n", checked, operations, violated, unknown, differs)
	if checked == 0 || violated+unknown+differs > 0 {
		os.Exit(1)
	}
}

func history(operations []operation) []porcupine.Operation {
	all := make([]porcupine.Operation, 0, len(operations))
	for i, one := range operations {
		value := ""
		if one.Value != nil {
			value = *one.Value
		}
		returned := int64(math.MaxInt64)
		if one.EndedMs != nil {
			returned = int64(*one.EndedMs * 1e6)
		}
		all = append(all, porcupine.Operation{
			ClientId: i, Input: input{one.Kind == "write", value}, Output: value, Call: int64(one.SentMs * 1e6), Return: returned,
		})
	}
	return all
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
