package dev.duoka.cli;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.cli.command.RootCommand;
import dev.duoka.operations.run.WorkerFolder;
import dev.duoka.train.memory.TooLittleMemoryException;
import java.io.PrintWriter;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/**
 * Says what went wrong in one message on stderr, and chooses the exit status by {@link ErrorCode}.
 * The stack trace is shown for {@code --stacktrace} only.
 */
final class ErrorReport
    implements CommandLine.IParameterExceptionHandler, CommandLine.IExecutionExceptionHandler {
  /** How Java encodes arguments and names of files: by the locale that it was started in. */
  private static final String ENCODING = System.getProperty("sun.jnu.encoding", "ASCII");

  /** What picocli says of a value without an equals sign, of an option that takes pairs. */
  private static final String NO_PAIR = "KEY=VALUE";

  @Override
  public int handleParseException(CommandLine.ParameterException e, String[] arguments) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    String message = String.valueOf(e.getMessage());
    if (e instanceof CommandLine.UnmatchedArgumentException unmatched
        && !unmatched.getUnmatched().isEmpty()) {
      message = unmatched(command, unmatched.getUnmatched().getFirst());
    }
    if (e.getArgSpec() != null && e.getValue() != null) {
      message =
          message.contains(NO_PAIR)
              ? InvalidValue.noPair(e.getArgSpec(), e.getValue())
              : InvalidValue.of(e.getArgSpec(), e.getValue()).orElse(message);
    }
    err.println("duoka: " + message);
    err.println("'" + command.getCommandSpec().qualifiedName() + " --help' lists the options.");
    if (List.of(arguments).contains("--stacktrace")) {
      e.printStackTrace(err);
    }
    return ErrorCode.USAGE.exitStatus();
  }

  @Override
  public int handleExecutionException(
      Exception e, CommandLine command, CommandLine.ParseResult parsed) {
    return report(e, command);
  }

  /** An argument with bytes that are no text in the locale's encoding. */
  static int undecoded(String argument, CommandLine command) {
    return report(
        new DuokaException(
            ErrorCode.USAGE,
            "the argument '" + argument + "' has bytes that are no " + ENCODING,
            "Start it with LC_ALL=C.UTF-8, and write the argument in UTF-8"),
        command);
  }

  /** A class or a library that cannot be loaded: what is to blame is inside. */
  static int linkage(LinkageError e, CommandLine command) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof DuokaException failure) {
        return report(failure, command);
      }
    }
    return report(e, command);
  }

  private static int report(Throwable e, CommandLine command) {
    PrintWriter err = command.getErr();
    boolean stackTrace =
        command.getCommandSpec().root().userObject() instanceof RootCommand root
            && root.stackTrace();
    int status = ErrorCode.IO.exitStatus();
    if (e instanceof InvalidPathException path) {
      err.println(
          "duoka: '"
              + path.getInput()
              + "' is no name of a file here: "
              + path.getReason()
              + ". Names of files are "
              + ENCODING
              + " in this locale; with LC_ALL=C.UTF-8 they can be all of Unicode.");
      status = ErrorCode.USAGE.exitStatus();
    } else if (e instanceof DuokaException failure) {
      err.println("duoka: " + sentence(String.valueOf(failure.getMessage())));
      status = failure.code().exitStatus();
      String told = System.getenv("DUOKA_FAILURE_FILE"); // by the run's supervisor
      if (told != null) {
        if (failure instanceof TooLittleMemoryException memory) {
          WorkerFolder.fail(Path.of(told), failure, memory.overrides(), !memory.isInStep());
        } else {
          WorkerFolder.fail(Path.of(told), failure);
        }
      }
    } else {
      err.println("duoka: internal error: " + e);
      err.println("This is a bug in duoka; please report it with the output of --stacktrace.");
    }
    if (stackTrace) {
      e.printStackTrace(err);
    }
    err.flush();
    return status;
  }

  /** Remedies are written with and without their full stop; a list of problems has none. */
  static String sentence(String message) {
    boolean open = !message.isEmpty() && ".!?:".indexOf(message.charAt(message.length() - 1)) < 0;
    return open && message.indexOf('\n') < 0 ? message + "." : message;
  }

  private static String unmatched(CommandLine command, String argument) {
    String name = command.getCommandSpec().qualifiedName();
    if (argument.startsWith("-")) {
      String option =
          argument.contains("=") ? argument.substring(0, argument.indexOf('=')) : argument;
      List<String> options = new ArrayList<>(command.getCommandSpec().optionsMap().keySet());
      return "'" + name + "' has no option " + option + ". " + NearestName.hint(option, options);
    }
    List<String> commands = new ArrayList<>(command.getSubcommands().keySet());
    if (commands.isEmpty()) {
      return "'" + name + "' takes no further argument '" + argument + "'";
    }
    return "there is no command '" + argument + "'. " + NearestName.hint(argument, commands);
  }
}
