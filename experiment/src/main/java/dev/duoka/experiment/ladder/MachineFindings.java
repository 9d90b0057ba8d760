package dev.duoka.experiment.ladder;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code duoka doctor} says of the machine.
 *
 * @param findings errors, warnings and what is said of variables
 * @param copies between pairs of cards
 */
record MachineFindings(List<Finding> findings, List<Copy> copies) {
  static final MachineFindings NONE = new MachineFindings(List.of(), List.of());

  /** What slows steps or links, or makes what they carry wrong; the rest is no cause here. */
  private static final Set<String> OF_SETTINGS =
      Set.of("nccl-variables", "cuda-variables", "acs", "iommu", "shm", "numa", "mig");

  private static final Set<String> OF_CARDS =
      Set.of("throttle", "power-cap", "clocks", "temperature", "ecc", "mixed-gpus", "row-remap");

  private static final Set<String> OF_LINKS =
      Set.of("nvlink", "fabric", "pcie-generation", "pcie-width", "pcie-errors");

  /** Of two copies of the same size the slower one is called slow below this part. */
  private static final double SLOW = 0.5;

  MachineFindings {
    findings = List.copyOf(findings);
    copies = List.copyOf(copies);
  }

  /** As the doctor's JSON says it. */
  record Finding(String check, String evidence, String consequence, String fix) {}

  /**
   * A copy from one card to another.
   *
   * @param way for example {@code cuda:0 to cuda:1}
   * @param direct whether it does not pass through the host
   * @param intact whether every byte arrived as it was sent
   * @param rate GB/s
   */
  record Copy(String way, boolean direct, boolean intact, double rate) {}

  /** What may be behind slow steps. */
  List<Cause> causes() {
    List<Cause> causes = new ArrayList<>();
    for (Finding finding : findings) {
      kind(finding.check())
          .ifPresent(
              kind ->
                  causes.add(
                      new Cause(
                          kind, finding.evidence() + ": " + finding.consequence(), finding.fix())));
    }
    double best = copies.stream().mapToDouble(Copy::rate).max().orElse(Double.NaN);
    for (Copy copy : copies) {
      if (!copy.intact()) {
        causes.add(link(copy, "damages what it carries"));
      } else if (!copy.direct()) {
        causes.add(link(copy, "goes by way of the host"));
      } else if (copy.rate() < SLOW * best) {
        causes.add(link(copy, String.format(Locale.ROOT, "is slow beside the best (%.0f)", best)));
      }
    }
    return causes;
  }

  private static Cause link(Copy copy, String what) {
    return new Cause(
        Cause.Kind.LINK,
        String.format(Locale.ROOT, "%s %s: %.1f GB/s", copy.way(), what, copy.rate()),
        "./duoka doctor says more of it, and ./duoka topo what the link should be");
  }

  private static Optional<Cause.Kind> kind(String check) {
    if (OF_SETTINGS.contains(check)) {
      return Optional.of(Cause.Kind.SETTING);
    }
    if (OF_LINKS.contains(check)) {
      return Optional.of(Cause.Kind.LINK);
    }
    return OF_CARDS.contains(check) ? Optional.of(Cause.Kind.CARD) : Optional.empty();
  }
}
