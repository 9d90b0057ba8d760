package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Software;
import java.util.Optional;

/** The NCCL that is found first against the one that PyTorch was built and tested with. */
final class NcclVersionCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "nccl-version",
          "NCCL as PyTorch was built with",
          "the copies on disk, PyTorch's build",
          "error when the major version differs, warning when it is older");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<Software.Torch> torch = out.known("PyTorch", machine.machine().software().torch());
    Optional<Software.Library> copy =
        machine.machine().software().copies("libnccl").stream().findFirst();
    if (torch.isEmpty() || copy.isEmpty()) {
      if (copy.isEmpty()) {
        out.unseen("no libnccl was found");
      }
      return;
    }
    Optional<String> version = out.known("NCCL", copy.get().version());
    Optional<String> cuda = out.known("PyTorch's CUDA", torch.get().cuda());
    Optional<String> built =
        cuda.flatMap(c -> machine.compatibility().build(torch.get().version(), c))
            .flatMap(Compatibility.Build::nccl);
    if (version.isEmpty() || built.isEmpty()) {
      if (cuda.isPresent() && built.isEmpty()) {
        out.unseen("PyTorch " + torch.get().version() + " is not in the table");
      }
      return;
    }
    Version seen = Version.of(version.get());
    String evidence =
        "NCCL "
            + version.get()
            + " at "
            + copy.get().path()
            + "; PyTorch "
            + torch.get().version()
            + " is built with "
            + built.get();
    String fix =
        "pip install --force-reinstall nvidia-nccl-cu"
            + Version.of(cuda.get()).major()
            + "=="
            + built.get();
    if (seen.major() != Version.of(built.get()).major()) {
      out.error(
          evidence,
          "symbols are missing at start, or collectives hang on cards that this version does not"
              + " know",
          fix);
    } else if (seen.isBefore(built.get())) {
      out.warning(
          evidence,
          "symbols are missing at start, or collectives hang on cards that this version does not"
              + " know",
          fix);
    }
  }
}
