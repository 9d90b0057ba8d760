package dev.duoka.cli.command;

import dev.duoka.cli.console.RecordTree;
import dev.duoka.formats.json.Json;
import dev.duoka.machine.environment.EnvironmentReport;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.device.SingleDevice;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code duoka env}: which native libraries are used and why, and what the machine has. */
@Command(
    name = "env",
    description = {
      "Show which LibTorch was chosen and why others were passed over, the GPUs, the CUDA"
          + " libraries, and the host.",
      "Exit status 1 when no LibTorch can be loaded, or when --device cuda is asked for and no GPU"
          + " can be used.",
      "Example: duoka env"
    })
final class EnvCommand implements Callable<Integer> {
  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      description = "What the machine must be able to compute on: auto (default), cpu or cuda.")
  private String device = "auto";

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    DeviceChoice wanted = SingleDevice.choice(device);
    EnvironmentReport report = EnvironmentReport.collect();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(RecordTree.json(report)));
    } else {
      RecordTree.print(report, out);
    }
    out.flush();
    boolean loaded = report.libTorch().problem().isEmpty();
    boolean gpuWanted = wanted.kind() == DeviceChoice.Kind.CUDA;
    return loaded && (!gpuWanted || report.cuda().usable()) ? 0 : 1;
  }
}
