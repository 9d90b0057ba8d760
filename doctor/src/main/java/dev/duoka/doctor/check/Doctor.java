package dev.duoka.doctor.check;

import dev.duoka.machine.probe.MachineSnapshot;
import dev.duoka.machine.probe.Reading;
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
  public static DoctorReport examine(
      MachineSnapshot machine, Reading<List<CopyResult>> copies, Optional<RunDemand> plan) {
    Examination examination =
        new Examination(
            machine,
            copies,
            plan,
            machine.topology().optional().filter(known -> !known.gpus().isEmpty()),
            Compatibility.load());
    List<Finding> findings = new ArrayList<>();
    List<DoctorReport.Examined> examined = new ArrayList<>();
    for (Check check : Checks.ALL) {
      Findings out = new Findings(check.info().id());
      check.examine(examination, out);
      findings.addAll(out.list());
      examined.add(new DoctorReport.Examined(check.info(), out.list().size(), out.unseen()));
    }
    findings.sort(Comparator.comparing(Finding::severity)); // stable: checks stay in order
    return new DoctorReport(machine, findings, examined, copies.optional().orElse(List.of()));
  }
}
