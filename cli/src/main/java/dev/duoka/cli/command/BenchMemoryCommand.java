package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.measure.step.MemoryComparison;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka bench memory}: what a dry run predicts beside what a step takes. */
@Command(
    name = "memory",
    description = {
      "Predict a training step's memory by owner with a dry run on 'meta', and compare it with what"
          + " a step takes on the device and what the driver reports.",
      "With --device meta only the prediction is made: no GPU is needed.",
      "In 16 bits and 8 bits the prediction is that of a GPU with our kernels; a CPU, which has"
          + " none, takes more. In fp32 it is that of a CPU, and a GPU differs.",
      "'workspace' is what the driver reports beyond tensors: the CUDA context, kernels, the"
          + " libraries' workspaces, and what the allocator keeps.",
      "Example: duoka bench memory --device meta"
    })
final class BenchMemoryCommand implements Callable<Integer> {
  @Mixin private StepOptions step = new StepOptions();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    step.check();
    MemoryComparison memory =
        ProgressLine.during(
            "taking a step", spec.commandLine().getErr(), () -> MemoryComparison.run(step.job()));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode report = BenchHeader.report(spec, memory.job().device());
      step.describe(report, memory.job());
      memory.describe(report);
      out.println(Json.line(report));
    } else {
      print(out, memory);
    }
    out.flush();
    return 0;
  }

  private static void print(PrintWriter out, MemoryComparison memory) {
    for (MemoryComparison.Line line : memory.lines()) {
      out.printf(
          "%-20s predicted %12s%s%n",
          line.name(), ByteSize.text(line.predicted()), taken(line.taken()));
    }
    memory
        .errorPercent()
        .ifPresent(error -> out.printf(Locale.ROOT, "predicted %+.2f %%%n", error));
    memory.taken().ifPresent(taken -> printDriver(out, taken));
    memory.caveat().ifPresent(out::println);
  }

  private static String taken(OptionalLong bytes) {
    return bytes.isEmpty() ? "" : String.format("   taken %12s", ByteSize.text(bytes.getAsLong()));
  }

  private static void printDriver(PrintWriter out, MemoryComparison.Memory taken) {
    taken
        .workspaceBytes()
        .ifPresent(
            workspace ->
                out.printf(
                    "the driver reports %s: the peak and %s of workspace%n",
                    ByteSize.text(taken.driverBytes()), ByteSize.text(workspace)));
  }
}
