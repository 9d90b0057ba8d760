package dev.duoka.cli.command;

import java.io.PrintWriter;
import java.util.function.Consumer;

/** Prints what is worth a notice before a run has its console. */
record Notices(PrintWriter err) implements Consumer<String> {
  @Override
  public void accept(String notice) {
    err.println("notice   " + notice);
    err.flush();
  }
}
