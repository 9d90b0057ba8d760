package dev.duoka.machine.doctor;

import dev.duoka.base.DuokaException;
import dev.duoka.machine.probe.MachineSnapshot;
import dev.duoka.machine.probe.Reading;
import dev.duoka.machine.topology.LiveTopology;
import dev.duoka.machine.topology.Topology;
import dev.duoka.machine.topology.TopologyReader;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Runs every check on a machine. */
public final class Doctor {
  private Doctor() {}

  /**
   * Examines a machine.
   *
   * @param copies what came of copying data between GPUs ({@link CopyTest}), or why that was not
   *     done
   * @param plan what a planned run needs; empty when no run is planned
   */
  public static Diagnosis examine(
      MachineSnapshot machine, Reading<List<CopyResult>> copies, Optional<Plan> plan) {
    Examination examination =
        new Examination(machine, copies, plan, topology(machine), Compatibility.load());
    List<Finding> findings = new ArrayList<>();
    List<Diagnosis.Examined> examined = new ArrayList<>();
    for (Check check : Checks.ALL) {
      Findings out = new Findings(check.info().id());
      check.examine(examination, out);
      findings.addAll(out.list());
      examined.add(new Diagnosis.Examined(check.info(), out.list().size(), out.unseen()));
    }
    findings.sort(Comparator.comparing(Finding::severity)); // stable: checks stay in order
    return new Diagnosis(machine, findings, examined, copies.optional().orElse(List.of()));
  }

  /** From the system where it is this one, else from the output that was captured. */
  private static Optional<Topology> topology(MachineSnapshot machine) {
    Optional<Topology> topology =
        machine.live()
            ? Optional.of(LiveTopology.read())
            : machine.topology().optional().flatMap(Doctor::parsed);
    return topology.filter(known -> !known.gpus().isEmpty());
  }

  private static Optional<Topology> parsed(String text) {
    try {
      return Optional.of(TopologyReader.read(text, "the captured topology"));
    } catch (DuokaException e) {
      return Optional.empty(); // its reader says more when asked: duoka topo --file
    }
  }
}
