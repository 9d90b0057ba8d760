package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import dev.duoka.machine.probe.Reading;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What one check found, and what it could not see. */
final class Findings {
  /** A finding about one GPU, before equal ones of several GPUs become one. */
  record Fault(Severity severity, String evidence, String consequence, String fix) {}

  private final String check;
  private final List<Finding> list = new ArrayList<>();
  private final List<String> unseen = new ArrayList<>();

  Findings(String check) {
    this.check = check;
  }

  void error(String evidence, String consequence, String fix) {
    add(Severity.ERROR, evidence, consequence, fix);
  }

  void warning(String evidence, String consequence, String fix) {
    add(Severity.WARNING, evidence, consequence, fix);
  }

  void note(String evidence, String consequence, String fix) {
    add(Severity.NOTE, evidence, consequence, fix);
  }

  void add(Severity severity, String evidence, String consequence, String fix) {
    list.add(new Finding(check, severity, evidence, consequence, fix));
  }

  /** The value; where there is none, the check has not seen it and says why. */
  <T> Optional<T> known(String what, Reading<T> reading) {
    if (reading instanceof Reading.Unknown<T>(String why)) {
      unseen(what + ": " + why);
    }
    return reading.optional();
  }

  void unseen(String why) {
    if (!unseen.contains(why)) {
      unseen.add(why);
    }
  }

  /**
   * Looks at each GPU that has a value, and merges equal findings.
   *
   * @param what the value's name, for "not seen"
   * @param fault what is wrong with a GPU of this value
   */
  <T> void each(
      List<Gpu> gpus,
      String what,
      Function<Gpu, Reading<T>> value,
      Function<GpuValue<T>, Optional<Fault>> fault) {
    if (gpus.isEmpty()) {
      unseen("no GPU is known");
      return;
    }
    Map<Fault, List<Integer>> byFault = new LinkedHashMap<>();
    List<String> reasons = new ArrayList<>();
    for (Gpu gpu : gpus) {
      switch (value.apply(gpu)) {
        case Reading.Known<T>(T known) ->
            fault
                .apply(new GpuValue<>(gpu, known))
                .ifPresent(
                    found ->
                        byFault.computeIfAbsent(found, _ -> new ArrayList<>()).add(gpu.index()));
        case Reading.Unknown<T>(String why) -> reasons.add(why);
      }
    }
    if (reasons.size() == gpus.size()) {
      unseen(what + ": " + reasons.getFirst());
    }
    byFault.forEach(
        (found, indices) ->
            add(
                found.severity(),
                label(indices, gpus.size()) + ": " + found.evidence(),
                found.consequence(),
                found.fix().replace("{i}", joined(indices))));
  }

  /** A GPU and one of its values. */
  record GpuValue<T>(Gpu gpu, T value) {}

  List<Finding> list() {
    return List.copyOf(list);
  }

  List<String> unseen() {
    return List.copyOf(unseen);
  }

  private static String label(List<Integer> indices, int all) {
    if (indices.size() == all && all > 1) {
      return "all " + all + " GPUs";
    }
    return "GPU " + indices.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }

  private static String joined(List<Integer> indices) {
    return indices.stream().map(String::valueOf).collect(Collectors.joining(","));
  }
}
