package dev.duoka.cli;

import dev.duoka.cli.command.RootCommand;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;

/** Starts the program. */
public final class Main {
  /** What Java puts in the place of bytes that are no text in the locale's encoding. */
  private static final char UNDECODED = '\ufffd';

  private Main() {}

  /** Runs one command and ends the JVM with its exit status: 0, 1 for failures, 2 for usage. */
  public static void main(String[] arguments) {
    System.exit(run(arguments, commandLine()));
  }

  /** The commands and options, ready to run; also the model that the documentation is held to. */
  public static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new RootCommand());
    commandLine.setCommandName("duoka");
    commandLine.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
    commandLine.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setUsageHelpAutoWidth(true);
    ErrorReport errors = new ErrorReport();
    commandLine.setParameterExceptionHandler(errors);
    commandLine.setExecutionExceptionHandler(errors);
    return commandLine;
  }

  /** Runs one command and returns its exit status. */
  static int run(String[] arguments, CommandLine commandLine) {
    try {
      for (String argument : arguments) {
        if (argument.indexOf(UNDECODED) >= 0) {
          return ErrorReport.undecoded(argument, commandLine);
        }
      }
      return commandLine.execute(arguments);
    } catch (LinkageError e) {
      return ErrorReport.linkage(e, commandLine);
    } catch (OutOfMemoryError e) {
      commandLine
          .getErr()
          .println(
              "duoka: the Java heap is full ("
                  + e.getMessage()
                  + "). Give it more, for example DUOKA_JAVA_OPTIONS=-Xmx8g.");
      return 1;
    }
  }
}
