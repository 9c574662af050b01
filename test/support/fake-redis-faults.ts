/** One command in the hands of a {@link Fault}. */
export interface FaultyCall {
  /** Executes the command and gives the bytes of its reply. */
  readonly execute: () => string;
  readonly write: (bytes: string) => void;
  /** An open MULTI will answer EXECABORT to its EXEC. */
  readonly breakTransaction: () => void;
  /** Closes the connection at once. */
  readonly close: () => void;
}

/** What a fake Redis does with a command in place of executing and answering it. Later ones on the connection wait for it. */
export type Fault = (call: FaultyCall) => void | Promise<void>;

/** Answers this, and doesn't execute it. */
export function answers(line: string): Fault {
  return ({ write, breakTransaction }) => {
    if (line.startsWith("-")) breakTransaction();
    write(`${line}\r\n`);
  };
}

/** Closes the connection, and hasn't executed it. */
export const closesBefore: Fault = ({ close }) => close();

/** Executes it and closes the connection without an answer. */
export const closesAfter: Fault = ({ execute, close }) => {
  execute();
  close();
};

/** Executes it, sends half of the reply and closes the connection. */
export const halfAnswers: Fault = ({ execute, write, close }) => {
  const reply = execute();
  write(reply.slice(0, Math.ceil(reply.length / 2)));
  close();
};

/** Executes it, and sends these bytes for a reply. */
export function answersBytes(bytes: string): Fault {
  return ({ execute, write }) => {
    execute();
    write(bytes);
  };
}

/** Never executes nor answers it, nor anything after it on this connection. */
export const ignores: Fault = () => new Promise(() => undefined);

/** Executes it and never answers. */
export const executesSilently: Fault = ({ execute }) => {
  execute();
  return new Promise(() => undefined);
};

/** Executes and answers it when this has happened. */
export function waitsFor(event: Promise<void>): Fault {
  return async ({ execute, write }) => {
    await event;
    write(execute());
  };
}
