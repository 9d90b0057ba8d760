package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.measure.comm.DispatchBenchmark;
import dev.duoka.measure.comm.DispatchLine;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.device.SingleDevice;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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

/** {@code duoka bench dispatch}: how tokens get to experts on other ranks, by tokens and way. */
@Command(
    name = "dispatch",
    description = {
      "Time the way of tokens to experts on other ranks and back, with each dispatcher"
          + " (parallel.dispatcher of a run file) and each transport that the machine has: ranks"
          + " are threads, each on a GPU of its own, or on the CPU.",
      "Rows are in bf16; tokens choose experts by chance. Each way there and back is checked once"
          + " before it is timed; exit status 1 when one is wrong. Times are medians of rounds:"
          + " 'route' finds out which row goes where, 'dispatch' ends with rows sorted by the"
          + " experts of each rank, 'combine' with the sums of each token.",
      "'copies' is what would leave a rank with a row for each expert on another rank, 'needed'"
          + " what has to, each row once for each rank with an expert of its, 'moved' what does;"
          + " GB/s are of both ways by the time of dispatch and combine.",
      "Example: duoka bench dispatch --model deepseek-v2-lite --tokens 256,4096,32768"
    })
final class BenchDispatchCommand implements Callable<Integer> {
  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      defaultValue = "deepseek-v2-lite",
      description = "A preset with experts or a folder with config.json (${DEFAULT-VALUE}).")
  private String model = "";

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
      names = "--tokens",
      paramLabel = "N",
      split = ",",
      defaultValue = "256,1024,4096,8192,16384,32768",
      description = "Tokens of each rank (${DEFAULT-VALUE}).")
  private List<Long> tokens = List.of();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    for (long count : tokens) {
      if (count < 1 || count > 1 << 20) {
        throw new DuokaException(
            ErrorCode.USAGE, "--tokens has " + count, "Give numbers from 1 to " + (1 << 20));
      }
    }
    OptionalInt count = ranks == null ? OptionalInt.empty() : OptionalInt.of(ranks);
    PrintWriter out = spec.commandLine().getOut();
    DispatchBenchmark benchmark =
        DispatchBenchmark.of(ModelSource.config(model, Map.of()), count, device, collectives);
    if (!json) {
      printHead(out, benchmark.begun());
    }
    DispatchBenchmark.Report measured;
    try (ProgressLine progress = ProgressLine.open("dispatching", spec.commandLine().getErr())) {
      measured = benchmark.run(tokens, line -> print(out, line, progress));
    }
    if (json) {
      out.println(Json.line(report(measured)));
    }
    out.flush();
    return measured.isRight() ? 0 : 1;
  }

  private void print(PrintWriter out, DispatchLine line, ProgressLine progress) {
    if (!json) {
      progress.clear();
      out.println(row(line));
      out.flush();
    }
  }

  private ObjectNode report(DispatchBenchmark.Report measured) {
    int all = measured.devices().size();
    ObjectNode report = BenchHeader.report(spec, SingleDevice.parseToMeasure(device), all);
    report.put("model", model);
    report.put("ranks", all);
    ArrayNode devices = report.putArray("devices");
    measured.devices().forEach(devices::add);
    report.put("experts", measured.experts());
    report.put("experts_per_token", measured.expertsPerToken());
    report.put("width", measured.width());
    report.put("dtype", "bf16");
    report.put("auto", measured.usual().toString());
    ObjectNode missing = report.putObject("missing");
    measured.missing().forEach((transport, why) -> missing.put(transport.toString(), why));
    ArrayNode lines = report.putArray("dispatches");
    for (DispatchLine line : measured.lines()) {
      ObjectNode entry = lines.addObject();
      entry.put("transport", line.transport().toString());
      entry.put("dispatcher", line.dispatcher().toString());
      entry.put("tokens", line.tokens());
      line.wrong().ifPresent(it -> entry.put("wrong", it));
      entry.put("copies_bytes", line.copies());
      entry.put("needed_bytes", line.needed());
      entry.put("moved_bytes", line.moved());
      if (line.wrong().isEmpty()) {
        entry.put("route_us", line.routeMicroseconds());
        entry.put("dispatch_us", line.dispatchMicroseconds());
        entry.put("combine_us", line.combineMicroseconds());
        entry.put("needed_gb_per_second", line.neededBandwidth());
        entry.put("moved_gb_per_second", line.movedBandwidth());
      }
    }
    return report;
  }

  private static void printHead(PrintWriter out, DispatchBenchmark.Report measured) {
    String where = measured.devices().stream().distinct().collect(Collectors.joining(", "));
    out.printf(
        "%d ranks on %s; %d experts, %d of each token, rows of %d in bf16; auto is %s%n",
        measured.devices().size(),
        where,
        measured.experts(),
        measured.expertsPerToken(),
        measured.width(),
        measured.usual());
    measured.missing().forEach((transport, why) -> out.printf("not by %s: %s%n", transport, why));
    out.println();
    out.printf(
        "%7s %-10s %-9s %9s %9s %9s %9s %11s %10s %11s %11s %11s%n",
        "tokens",
        "dispatcher",
        "transport",
        "route µs",
        "disp. µs",
        "comb. µs",
        "sum µs",
        "needed GB/s",
        "moved GB/s",
        "copies",
        "needed",
        "moved");
    out.flush();
  }

  private static String row(DispatchLine line) {
    String which =
        String.format(
            Locale.ROOT, "%,7d %-10s %-9s ", line.tokens(), line.dispatcher(), line.transport());
    return line.wrong()
        .map(it -> which + "WRONG: " + it)
        .orElseGet(
            () ->
                which
                    + String.format(
                        Locale.ROOT,
                        "%9.1f %9.1f %9.1f %9.1f %11.2f %10.2f %11s %11s %11s",
                        line.routeMicroseconds(),
                        line.dispatchMicroseconds(),
                        line.combineMicroseconds(),
                        line.microseconds(),
                        line.neededBandwidth(),
                        line.movedBandwidth(),
                        ByteSize.text(Math.round(line.copies())),
                        ByteSize.text(Math.round(line.needed())),
                        ByteSize.text(Math.round(line.moved()))));
  }
}
