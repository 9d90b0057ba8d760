package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Software;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Compares the machine with whole sets of versions that are known to work. */
final class VersionLineCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "version-line",
          "Versions against known sets",
          "driver, CUDA, cuDNN, PyTorch",
          "as each line of the table says: error, warning or note when a part is older");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    if (!machine.hasGpu()) {
      out.unseen("no GPU is known");
      return;
    }
    Optional<String> torch =
        machine.machine().software().torch().optional().map(Software.Torch::version);
    Optional<String> cuda =
        machine.machine().software().torch().optional().flatMap(t -> t.cuda().optional());
    Optional<String> cudnn =
        machine.machine().software().copies("libcudnn").stream()
            .findFirst()
            .flatMap(copy -> copy.version().optional());
    Optional<String> driver = machine.machine().driver().version().optional();
    boolean nothing = torch.isEmpty() && driver.isEmpty();
    if (nothing) {
      out.unseen("neither driver nor PyTorch is known");
    }
    for (Compatibility.Line line : machine.compatibility().lines()) {
      List<String> older = new ArrayList<>();
      compare("driver", driver, line.driver(), older);
      compare("CUDA of PyTorch", cuda, line.cuda(), older);
      compare("cuDNN", cudnn, line.cudnn(), older);
      compare("PyTorch", torch, line.pytorch(), older);
      if (!older.isEmpty()) {
        out.add(
            line.severity(),
            "older than " + line.name() + ": " + String.join(", ", older),
            line.why(),
            fix(machine, driver, older));
        return; // lines are in order: the first that is missed says enough
      }
    }
  }

  private static String fix(Examination machine, Optional<String> driver, List<String> older) {
    boolean driverAlone = older.stream().allMatch(part -> part.startsWith("driver"));
    return driver
        .filter(_ -> !driverAlone)
        .flatMap(machine.compatibility()::newestFor)
        .map(build -> Compatibility.install(build.version(), build.cuda()))
        .orElse("sudo apt-get install nvidia-driver-580-server && sudo reboot");
  }

  private static void compare(
      String what, Optional<String> seen, Optional<String> wanted, List<String> older) {
    if (seen.isPresent()
        && wanted.isPresent()
        && Version.of(seen.get()).isKnown()
        && Version.of(seen.get()).isBefore(wanted.get())) {
      older.add(what + " " + seen.get() + " (" + wanted.get() + ")");
    }
  }
}
