package dev.duoka.cli.command;

import dev.duoka.formats.json.Json;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.loop.DevicePlacement;
import dev.duoka.train.profile.DeviceRates;
import dev.duoka.train.profile.KernelBenchmark;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka bench kernels}: our CUDA kernels against the bytes they must move. */
@Command(
    name = "kernels",
    description = "Time our own CUDA kernels one by one against their floor; needs a GPU.")
final class BenchKernelsCommand implements Callable<Integer> {
  @Option(names = "--rows", defaultValue = "32768", description = "Tokens (32768).")
  private long rows;

  @Option(names = "--hidden", defaultValue = "2048", description = "Width of norms (2048).")
  private long hidden;

  @Option(names = "--intermediate", defaultValue = "5504", description = "Width of SwiGLU (5504).")
  private long intermediate;

  @Option(names = "--vocabulary", defaultValue = "32256", description = "Vocabulary (32256).")
  private long vocabulary;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    Device device = DevicePlacement.choose(DeviceChoice.parse("cuda"), 1).of(0);
    ComputeThread.prepare(device, 1, 1);
    DeviceRates rates = DeviceRates.measure(device, Dtype.BFLOAT16);
    List<KernelBenchmark.Line> lines =
        KernelBenchmark.run(device, Dtype.BFLOAT16, rows, hidden, intermediate, vocabulary);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode report = Json.object();
      report.put("copy_bytes_per_second", rates.bytes());
      report.put("gemm_flops_per_second", rates.flops());
      ArrayNode kernels = report.putArray("kernels");
      for (KernelBenchmark.Line line : lines) {
        ObjectNode kernel = kernels.addObject();
        kernel.put("name", line.name());
        kernel.put("bytes", line.bytes());
        kernel.put("ms", line.milliseconds());
        kernel.put("share_of_floor", line.share(rates));
      }
      out.println(Json.line(report));
    } else {
      out.printf(
          Locale.ROOT,
          "copy %.2f TB/s, bf16 product of 8192³ %.0f TFLOP/s%n",
          rates.bytes() * 1e-12,
          rates.flops() * 1e-12);
      for (KernelBenchmark.Line line : lines) {
        out.printf(
            Locale.ROOT,
            "%-30s %8.1f MB %9.3f ms  %5.1f %% of the copy rate%n",
            line.name(),
            line.bytes() * 1e-6,
            line.milliseconds(),
            100 * line.share(rates));
      }
    }
    out.flush();
    return 0;
  }
}
