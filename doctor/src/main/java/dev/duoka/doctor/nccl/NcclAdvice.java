package dev.duoka.doctor.nccl;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import dev.duoka.machine.topology.Gpu;
import dev.duoka.machine.topology.Link;
import dev.duoka.machine.topology.LinkKind;
import dev.duoka.machine.topology.Topology;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The NCCL variables worth setting on a machine, and no others. On most machines there are none:
 * NCCL finds out by itself what connects the GPUs.
 *
 * @param set worth setting: measured on such machines
 * @param measure may be worth setting: to be compared with and without
 * @param notes what else to know, whole sentences
 */
public record NcclAdvice(List<NcclSetting> set, List<NcclSetting> measure, List<String> notes) {

  /** Copies the lists. */
  public NcclAdvice {
    set = List.copyOf(set);
    measure = List.copyOf(measure);
    notes = List.copyOf(notes);
  }

  /** The advice for a machine. */
  public static NcclAdvice of(Topology topology) {
    List<NcclSetting> set = new ArrayList<>();
    List<NcclSetting> measure = new ArrayList<>();
    Set<String> named = new HashSet<>();
    for (JsonFields rule :
        YamlData.resource(NcclAdvice.class, "nccl-advice.yaml").objects("rules")) {
      String variable = rule.text("variable").orElseThrow();
      if (holds(rule.object("when").orElseThrow(), topology) && named.add(variable)) {
        boolean certain = rule.text("strength").orElseThrow().equals("set");
        (certain ? set : measure)
            .add(
                new NcclSetting(
                    variable,
                    rule.text("value").orElseThrow(),
                    rule.text("reason").orElseThrow(),
                    rule.text("caution").orElse(""),
                    rule.text("source").orElseThrow()));
      }
    }
    return new NcclAdvice(set, measure, notes(topology, set));
  }

  private static boolean holds(JsonFields when, Topology topology) {
    Set<LinkKind> kinds = new HashSet<>();
    topology.links().values().forEach(link -> kinds.add(link.kind()));
    boolean nvlink = topology.links().values().stream().anyMatch(Link::isNvlink);
    boolean named = topology.gpus().stream().allMatch(gpu -> gpu.name().isPresent());
    List<String> wanted = when.texts("link_kinds");
    return topology.gpus().size() >= when.integer("least_gpus", 1)
        && when.text("nvlink").map(w -> w.equals("none") == !nvlink).orElse(true)
        && (wanted.isEmpty()
            || wanted.stream().anyMatch(kind -> kinds.contains(LinkKind.valueOf(kind))))
        && when.text("products").map(pattern -> named && allMatch(topology, pattern)).orElse(true)
        && (when.flag("names_known", true) || !named)
        && (!when.flag("hidden_topology", false) || hidesTopology(topology));
  }

  private static boolean allMatch(Topology topology, String pattern) {
    Pattern products = Pattern.compile(pattern);
    return topology.gpus().stream().allMatch(gpu -> products.matcher(gpu.name().orElse("")).find());
  }

  /** Every pair is across NUMA nodes although all GPUs are on one. */
  private static boolean hidesTopology(Topology topology) {
    return topology.links().values().stream().allMatch(link -> link.kind() == LinkKind.SYS)
        && topology.gpus().stream().allMatch(gpu -> gpu.numaNode().isPresent())
        && topology.gpus().stream().map(Gpu::numaNode).distinct().count() == 1;
  }

  private static List<String> notes(Topology topology, List<NcclSetting> set) {
    List<String> notes = new ArrayList<>();
    int gpus = topology.gpus().size();
    if (gpus < 2) {
      notes.add("With " + (gpus == 1 ? "one GPU" : "no GPU") + " NCCL moves nothing.");
      return notes;
    }
    if (set.isEmpty()) {
      notes.add(
          "Set nothing: NCCL sees these connections itself and chooses by them. A variable that"
              + " forces a choice outlives the reason for it.");
    }
    if (topology.fullyNvlinked()) {
      notes.add(
          "All GPUs are connected by NVLink; variables of sockets, InfiniBand and PCIe have no"
              + " effect inside this machine.");
    }
    notes.add(
        "If a run fails or is slow, log one start: NCCL_DEBUG=INFO"
            + " NCCL_DEBUG_SUBSYS=INIT,GRAPH,TUNING NCCL_DEBUG_FILE=nccl.%h.%p.log; then remove"
            + " them.");
    return notes;
  }

  /** The settings as shell lines with their reasons as comments. */
  public String exports() {
    StringBuilder out = new StringBuilder();
    for (NcclSetting setting : set) {
      comment(out, setting, "");
      out.append("export ").append(setting.name()).append('=').append(setting.value()).append('\n');
    }
    for (NcclSetting setting : measure) {
      out.append("# To measure, with and without; not a recommendation yet.\n");
      comment(out, setting, "");
      out.append("# export ")
          .append(setting.name())
          .append('=')
          .append(setting.value())
          .append('\n');
    }
    return out.toString();
  }

  /** The settings as a block of a run file. */
  public String runFileBlock() {
    if (set.isEmpty()) {
      return "environment: {}  # nothing to set\n";
    }
    StringBuilder out = new StringBuilder("environment:\n");
    for (NcclSetting setting : set) {
      comment(out, setting, "  ");
      out.append("  ").append(setting.name()).append(": \"").append(setting.value()).append("\"\n");
    }
    return out.toString();
  }

  private static void comment(StringBuilder out, NcclSetting setting, String indent) {
    out.append(indent).append("# ").append(setting.reason()).append('\n');
    if (!setting.caution().isEmpty()) {
      out.append(indent).append("# Mind: ").append(setting.caution()).append('\n');
    }
    out.append(indent).append("# Source: ").append(setting.source()).append('\n');
  }
}
