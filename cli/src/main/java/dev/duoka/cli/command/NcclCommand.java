package dev.duoka.cli.command;

import dev.duoka.doctor.nccl.NcclAdvice;
import dev.duoka.doctor.nccl.NcclExplainer;
import dev.duoka.doctor.nccl.NcclJson;
import dev.duoka.doctor.nccl.NcclVerdict;
import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.machine.topology.Topology;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code duoka nccl}: the NCCL variables worth setting on a machine, and no others. */
@Command(
    name = "nccl",
    description = {
      "Show the NCCL variables worth setting on this machine, each with its reason, as export lines"
          + " and as a block of a run file; often there are none.",
      "Without --topo, variables that are set in the environment are explained as well.",
      "Exit status 1 when a variable that is set is wrong, useless or harmful, or when no GPU is"
          + " found.",
      "Example: duoka nccl"
    })
final class NcclCommand implements Callable<Integer> {
  @Option(
      names = "--topo",
      paramLabel = "FILE",
      description = "Text with another machine's 'nvidia-smi topo -m'; - reads standard input.")
  private Optional<Path> topo = Optional.empty();

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    Topology topology = topo.map(TopologyFile::read).orElseGet(LiveProbe::topology);
    NcclAdvice advice = NcclAdvice.of(topology);
    List<NcclVerdict> verdicts =
        topo.isPresent()
            ? List.of()
            : new NcclExplainer(Optional.of(topology)).explainAll(System.getenv());
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(NcclJson.of(advice, verdicts, topology.warnings())));
    } else {
      print(out, advice, verdicts);
      PrintWriter notes = spec.commandLine().getErr();
      topology.warnings().forEach(warning -> notes.println("warning  " + warning));
    }
    out.flush();
    boolean findings = verdicts.stream().anyMatch(verdict -> verdict.kind().isFinding());
    return findings || topology.gpus().isEmpty() ? 1 : 0;
  }

  private static void print(PrintWriter out, NcclAdvice advice, List<NcclVerdict> verdicts) {
    advice.notes().forEach(note -> out.println("# " + note));
    out.print(advice.exports());
    out.println();
    out.println("# In a run file:");
    out.print(advice.runFileBlock());
    for (NcclVerdict verdict : verdicts) {
      out.println();
      out.println("# Set now: " + verdict.name() + "=" + verdict.value() + "  " + verdict.kind());
      out.println("#   " + verdict.explanation());
      verdict.remedy().ifPresent(remedy -> out.println("#   " + remedy));
    }
  }
}
