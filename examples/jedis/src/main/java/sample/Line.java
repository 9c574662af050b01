package sample;

/** One line of JSON on standard output. */
final class Line {
  private Line() {}

  /** Prints names and values in turns; numbers stay numbers. */
  static void print(Object... namesAndValues) {
    var line = new StringBuilder("{");
    for (int i = 0; i < namesAndValues.length; i += 2) {
      if (i > 0) line.append(',');
      line.append(quote(namesAndValues[i])).append(':');
      line.append(namesAndValues[i + 1] instanceof Number number ? number.toString() : quote(namesAndValues[i + 1]));
    }
    // One call, so that threads don't mix their lines.
    System.out.println(line.append('}'));
  }

  private static String quote(Object value) {
    var text = String.valueOf(value).replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\p{Cntrl}", " ");
    return '"' + text + '"';
  }
}
