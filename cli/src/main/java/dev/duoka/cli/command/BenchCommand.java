package dev.duoka.cli.command;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code duoka bench}: measurements; its subcommands do the work. */
@Command(
    name = "bench",
    description =
        "Measure training steps, exchange between ranks, the way of tokens to experts, single"
            + " kernels, or memory.",
    subcommands = {
      BenchTrainCommand.class,
      BenchCommCommand.class,
      BenchDispatchCommand.class,
      BenchKernelsCommand.class,
      BenchMemoryCommand.class
    })
final class BenchCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "what to measure is missing; one of " + String.join(", ", spec.subcommands().keySet()));
  }
}
