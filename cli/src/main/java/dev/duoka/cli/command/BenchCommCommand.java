package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.measure.comm.Collective;
import dev.duoka.measure.comm.CollectiveBenchmark;
import dev.duoka.measure.comm.CollectiveLine;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.device.Transport;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka bench comm}: every collective by size, and by what carries it. */
@Command(
    name = "comm",
    description = {
      "Time every exchange between ranks by size, with each transport that the machine has beside"
          + " the others: ranks are threads, each on a GPU of its own, or on the CPU.",
      "Tensors are in bf16. Each result is checked once before it is timed; exit status 1 when one"
          + " is wrong. Times are medians of rounds; 'host' is how long a call keeps its thread.",
      "Bandwidths are those of NVIDIA's nccl-tests: 'alg' is size by time, 'bus' what the busiest"
          + " link has carried at least. Size is what a rank reduces, broadcasts or sends in all,"
          + " or has gathered. With nccl, send-receive goes by copies, as in training.",
      "Example: duoka bench comm --device cpu"
    })
final class BenchCommCommand implements Callable<Integer> {
  @Option(
      names = "--ranks",
      paramLabel = "N",
      description = "Ranks: one for each GPU, or 2 on the CPU, unless it is said.")
  private @Nullable Integer ranks;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      description =
          "auto (GPUs), cpu, cuda, one GPU for all ranks such as cuda:0, or one for each (auto).")
  private String device = "auto";

  @Option(
      names = "--collectives",
      paramLabel = "KIND",
      defaultValue = "all",
      description = "peer, nccl, copies, auto for that of a run, or all (all).")
  private String collectives = "all";

  @Option(
      names = "--sizes",
      paramLabel = "SIZE",
      split = ",",
      defaultValue = "16KiB,1MiB,4MiB,16MiB,64MiB",
      description = "Sizes in B, KiB, MiB or GiB (${DEFAULT-VALUE}).")
  private List<String> sizes = List.of();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    List<Long> bytes = sizes.stream().map(BenchCommCommand::bytes).toList();
    OptionalInt count = ranks == null ? OptionalInt.empty() : OptionalInt.of(ranks);
    CollectiveBenchmark.Report measured =
        ProgressLine.during(
            "exchanging",
            spec.commandLine().getErr(),
            () -> CollectiveBenchmark.of(count, device, collectives).run(bytes));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(report(measured)));
    } else {
      print(out, measured);
    }
    out.flush();
    return measured.isRight() ? 0 : 1;
  }

  private static long bytes(String size) {
    long bytes = ByteSize.parse(size).orElse(0);
    if (bytes < 1 || bytes > 64L << 30) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--sizes has '" + size + "'",
          "Give whole numbers of B, KiB, MiB or GiB up to 64GiB, such as 16KiB,1MiB");
    }
    return bytes;
  }

  private ObjectNode report(CollectiveBenchmark.Report measured) {
    int all = measured.devices().size();
    ObjectNode report = BenchHeader.report(spec, SingleDevice.parseToMeasure(device), all);
    report.put("ranks", all);
    ArrayNode devices = report.putArray("devices");
    measured.devices().forEach(devices::add);
    report.put("dtype", "bf16");
    ObjectNode missing = report.putObject("missing");
    measured.missing().forEach((transport, why) -> missing.put(transport.toString(), why));
    ArrayNode lines = report.putArray("exchanges");
    for (CollectiveLine line : measured.lines()) {
      ObjectNode entry = lines.addObject();
      entry.put("transport", line.transport().toString());
      entry.put("collective", line.collective().toString());
      entry.put("bytes", line.bytes());
      line.wrong().ifPresent(it -> entry.put("wrong", it));
      if (line.wrong().isEmpty()) {
        entry.put("us", line.microseconds());
        entry.put("us_fastest", line.fastestMicroseconds());
        entry.put("us_slowest", line.slowestMicroseconds());
        entry.put("host_us", line.hostMicroseconds());
        entry.put("algorithm_gb_per_second", line.algorithmBandwidth());
        entry.put("bus_gb_per_second", line.busBandwidth());
      }
    }
    return report;
  }

  private static void print(PrintWriter out, CollectiveBenchmark.Report measured) {
    String where = measured.devices().stream().distinct().collect(Collectors.joining(", "));
    out.printf("%d ranks on %s, bf16%n%n", measured.devices().size(), where);
    out.printf("%-15s %11s", "", "");
    measured.transports().forEach(it -> out.printf("   %-38s", it));
    out.printf("%n%-15s %11s", "collective", "size");
    measured
        .transports()
        .forEach(_ -> out.printf("   %10s %8s %8s %9s", "µs", "alg GB/s", "bus GB/s", "host µs"));
    out.println();
    for (Collective collective : Collective.values()) {
      for (long bytes : measured.sizes()) {
        out.printf("%-15s %11s", collective, ByteSize.text(bytes));
        for (Transport transport : measured.transports()) {
          out.print("   " + cell(measured.line(transport, collective, bytes)));
        }
        out.println();
      }
    }
    out.println();
    measured.missing().forEach((transport, why) -> out.printf("not by %s: %s%n", transport, why));
    for (CollectiveLine line : measured.lines()) {
      line.wrong()
          .ifPresent(
              it ->
                  out.printf(
                      "WRONG: %s of %s by %s, %s%n",
                      line.collective(), ByteSize.text(line.bytes()), line.transport(), it));
    }
  }

  private static String cell(CollectiveLine line) {
    return line.wrong().isPresent()
        ? String.format("%-38s", "WRONG")
        : String.format(
            Locale.ROOT,
            "%10.1f %8.2f %8.2f %9.1f",
            line.microseconds(),
            line.algorithmBandwidth(),
            line.busBandwidth(),
            line.hostMicroseconds());
  }
}
