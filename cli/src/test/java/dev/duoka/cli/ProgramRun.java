package dev.duoka.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** Runs the program in this process, and keeps what the last call printed. */
final class ProgramRun {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  static {
    System.setProperty("duoka.watch", "false"); // no page of a test outlives it
  }

  /** Runs a command; its exit status. */
  int run(String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    CommandLine commandLine = Main.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    return Main.run(arguments, commandLine);
  }

  /** Its standard output. */
  StringWriter out() {
    return out;
  }

  /** Its standard error. */
  StringWriter err() {
    return err;
  }
}
