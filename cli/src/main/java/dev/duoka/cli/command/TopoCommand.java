package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.machine.topology.LiveTopology;
import dev.duoka.machine.topology.SvgDrawing;
import dev.duoka.machine.topology.TerminalDrawing;
import dev.duoka.machine.topology.Topology;
import dev.duoka.machine.topology.TopologyJson;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code duoka topo}: how this machine's, or a captured machine's, GPUs are connected. */
@Command(
    name = "topo",
    description = {
      "Show how GPUs, network cards and NUMA nodes are connected, what each connection should"
          + " carry, and where a model's parallel axes belong.",
      "Reads this machine, or the text of 'nvidia-smi topo -m' from a file; a damaged paste gives"
          + " what is certain, and warnings.",
      "Exit status 1 when no GPU is found or no driver can be asked, 2 for a wrong option.",
      "Example: duoka topo --file topo.txt"
    })
final class TopoCommand implements Callable<Integer> {
  @Option(
      names = "--file",
      paramLabel = "OUTPUT",
      description = "Text with the output of 'nvidia-smi topo -m'; - reads standard input.")
  private Optional<Path> file = Optional.empty();

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Option(names = "--svg", paramLabel = "FILE", description = "Also write a drawing as SVG.")
  private Optional<Path> svg = Optional.empty();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    Topology topology = file.map(TopologyFile::read).orElseGet(LiveProbe::topology);
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter notes = spec.commandLine().getErr();
    svg.ifPresent(target -> write(target, SvgDrawing.of(topology)));
    if (json) {
      out.println(Json.line(TopologyJson.of(topology)));
    } else {
      out.print(TerminalDrawing.of(topology));
      out.flush();
      topology.warnings().forEach(warning -> notes.println("warning  " + warning));
    }
    out.flush();
    return topology.gpus().isEmpty() || LiveTopology.lacksDriver(topology) ? 1 : 0;
  }

  private static void write(Path target, String content) {
    try {
      Files.writeString(target, content);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write " + target + ": " + e,
          "Choose a folder you may write to.",
          e);
    }
  }
}
