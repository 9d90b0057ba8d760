package dev.duoka.cli.command;

import dev.duoka.base.Percent;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.cli.console.RecordTree;
import dev.duoka.formats.json.Json;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.measure.kernel.KernelBenchmark;
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

/** {@code duoka bench kernels}: our CUDA kernels against what they must move and compute. */
@Command(
    name = "kernels",
    description = {
      "Time our own CUDA kernels one by one against their floor; needs a GPU.",
      BenchHeader.ROOFLINE,
      "The defaults are widths of deepseek-coder-1.3b, and heads and experts of deepseek-v2-lite.",
      "Example: duoka bench kernels"
    })
final class BenchKernelsCommand implements Callable<Integer> {
  /** Rows of whole 16-byte packs. */
  private static final int PACK = 8;

  /** The most elements of a row, as far as a norm's registers reach. */
  private static final int WIDEST = 16_384;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "32768",
      description = "Tokens (32768).")
  private long rows;

  @Option(
      names = "--hidden",
      paramLabel = "N",
      defaultValue = "2048",
      description = "Width of norms (2048).")
  private long hidden;

  @Option(
      names = "--intermediate",
      paramLabel = "N",
      defaultValue = "5504",
      description = "Width of SwiGLU (5504).")
  private long intermediate;

  @Option(
      names = "--vocabulary",
      paramLabel = "N",
      defaultValue = "32256",
      description = "Vocabulary (32256).")
  private long vocabulary;

  @Option(
      names = "--heads",
      paramLabel = "N",
      defaultValue = "16",
      description = "Heads of attention (16).")
  private int heads;

  @Option(
      names = "--head-width",
      paramLabel = "N",
      defaultValue = "128",
      description = "Width of a head (128).")
  private int headWidth;

  @Option(
      names = "--nope",
      paramLabel = "N",
      defaultValue = "128",
      description = "Width of the unrotated part of a latent head (128).")
  private int nope;

  @Option(
      names = "--rope",
      paramLabel = "N",
      defaultValue = "64",
      description = "Width of the rotated part of a latent head (64).")
  private int rope;

  @Option(
      names = "--value-width",
      paramLabel = "N",
      defaultValue = "128",
      description = "Width of a latent value (128).")
  private int value;

  @Option(names = "--experts", paramLabel = "N", defaultValue = "64", description = "Experts (64).")
  private int experts;

  @Option(
      names = "--experts-per-token",
      paramLabel = "N",
      defaultValue = "6",
      description = "Of those (6).")
  private int expertsPerToken;

  @Option(
      names = "--expert-width",
      paramLabel = "N",
      defaultValue = "1408",
      description = "Width of an expert's SwiGLU (1408).")
  private long expertWidth;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    KernelBenchmark.Sizes sizes = sizes();
    KernelBenchmark.Report measured =
        ProgressLine.during(
            "timing kernels", spec.commandLine().getErr(), () -> KernelBenchmark.onGpu(sizes));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(report(sizes, measured)));
    } else {
      print(out, measured.rates(), measured.lines());
    }
    out.flush();
    return 0;
  }

  private KernelBenchmark.Sizes sizes() {
    OptionRange.check("--rows", rows, 1, 1 << 20);
    OptionRange.checkMultiple("--hidden", hidden, PACK, WIDEST);
    OptionRange.checkMultiple("--intermediate", intermediate, PACK, 1 << 20);
    OptionRange.checkMultiple("--vocabulary", vocabulary, PACK, 1 << 20);
    OptionRange.check("--heads", heads, 1, 1024);
    OptionRange.checkMultiple("--head-width", headWidth, 2L * PACK, 256);
    OptionRange.checkMultiple("--nope", nope, PACK, 1024);
    OptionRange.checkMultiple("--rope", rope, 2L * PACK, 256);
    OptionRange.checkMultiple("--value-width", value, PACK, 1024);
    OptionRange.check("--experts", experts, 1, 512);
    OptionRange.check("--experts-per-token", expertsPerToken, 1, Math.min(32, experts));
    OptionRange.checkMultiple("--expert-width", expertWidth, PACK, 1 << 20);
    return new KernelBenchmark.Sizes(
        rows,
        hidden,
        intermediate,
        vocabulary,
        heads,
        headWidth,
        nope,
        rope,
        value,
        experts,
        expertsPerToken,
        expertWidth);
  }

  private ObjectNode report(KernelBenchmark.Sizes sizes, KernelBenchmark.Report measured) {
    DeviceRates rates = measured.rates();
    ObjectNode report = BenchHeader.report(spec, measured.device());
    report.put("precision", "bf16");
    report.set("sizes", RecordTree.json(sizes));
    report.put("copy_bytes_per_second", rates.bytes());
    report.put("gemm_flops_per_second", rates.flops());
    ArrayNode kernels = report.putArray("kernels");
    for (KernelBenchmark.Line line : measured.lines()) {
      ObjectNode kernel = kernels.addObject();
      kernel.put("name", line.name());
      kernel.put("flops", line.flops());
      kernel.put("bytes", line.bytes());
      kernel.put("floor_ms", line.floorMilliseconds(rates));
      if (line.measured()) {
        kernel.put("ms", line.milliseconds());
        kernel.put("roofline_utilisation", line.rooflineUtilisation(rates));
      }
    }
    return report;
  }

  private static void print(PrintWriter out, DeviceRates rates, List<KernelBenchmark.Line> lines) {
    out.printf(
        Locale.ROOT,
        "copy %.2f TB/s, bf16 product of 8192³ %.0f TFLOP/s%n%n%-42s %9s %9s %9s %9s  %s%n",
        rates.terabytes(),
        rates.teraFlops(),
        "kernel",
        "MB",
        "GFLOP",
        "floor ms",
        "ms",
        "roofline utilisation");
    for (KernelBenchmark.Line line : lines) {
      out.printf(
          Locale.ROOT,
          "%-42s %9.1f %9.1f %9.3f %s%n",
          line.name(),
          line.megabytes(),
          line.gigaFlops(),
          line.floorMilliseconds(rates),
          line.measured()
              ? String.format(
                  Locale.ROOT,
                  "%9.3f  %7s",
                  line.milliseconds(),
                  Percent.text(line.rooflineUtilisation(rates)))
              : "        –  not on this card, or not in these sizes");
    }
  }
}
