package dev.duoka.doctor.check;

import dev.duoka.machine.probe.MachineSnapshot;
import java.util.List;

/**
 * What the doctor says of a machine.
 *
 * @param machine the facts
 * @param findings what was found, the worst first
 * @param examined every check that ran
 * @param copies the copies that were made and compared
 */
public record DoctorReport(
    MachineSnapshot machine,
    List<Finding> findings,
    List<Examined> examined,
    List<CopyResult> copies) {

  /**
   * A check that ran.
   *
   * @param check which
   * @param findings how many it reported
   * @param unseen what it could not see, each with the reason
   */
  public record Examined(CheckInfo check, int findings, List<String> unseen) {
    /** Keeps a copy of the list. */
    public Examined {
      unseen = List.copyOf(unseen);
    }
  }

  /** Keeps copies of the lists. */
  public DoctorReport {
    findings = List.copyOf(findings);
    examined = List.copyOf(examined);
    copies = List.copyOf(copies);
  }

  /** Whether there is nothing above a note. */
  public boolean isHealthy() {
    return findings.stream().allMatch(finding -> finding.severity() == Severity.NOTE);
  }

  /** How many findings have a severity. */
  public long count(Severity severity) {
    return findings.stream().filter(finding -> finding.severity() == severity).count();
  }
}
