package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Software;
import java.util.Optional;

/** The cuDNN that is found first against the one that PyTorch was built and tested with. */
final class CudnnCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "cudnn",
          "cuDNN as PyTorch was built with",
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
        machine.machine().software().copies("libcudnn").stream().findFirst();
    if (torch.isEmpty() || copy.isEmpty()) {
      if (copy.isEmpty()) {
        out.unseen("no libcudnn was found");
      }
      return;
    }
    Optional<String> version = out.known("cuDNN", copy.get().version());
    Optional<String> cuda = out.known("PyTorch's CUDA", torch.get().cuda());
    Optional<String> built =
        cuda.flatMap(c -> machine.compatibility().build(torch.get().version(), c))
            .flatMap(Compatibility.Build::cudnn);
    if (version.isEmpty() || built.isEmpty()) {
      if (cuda.isPresent() && built.isEmpty()) {
        out.unseen("PyTorch " + torch.get().version() + " is not in the table");
      }
      return;
    }
    Version seen = Version.of(version.get());
    String evidence =
        "cuDNN "
            + version.get()
            + " at "
            + copy.get().path()
            + "; PyTorch "
            + torch.get().version()
            + " is built with "
            + built.get();
    String fix =
        "pip install --force-reinstall nvidia-cudnn-cu"
            + Version.of(cuda.get()).major()
            + "=="
            + built.get();
    if (seen.major() != Version.of(built.get()).major()) {
      out.error(
          evidence,
          "fused attention fails or falls back to slow kernels; a mixture of parts ends in"
              + " CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH",
          fix);
    } else if (seen.isBefore(built.get())) {
      out.warning(
          evidence,
          "fused attention fails or falls back to slow kernels; a mixture of parts ends in"
              + " CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH",
          fix);
    }
  }
}
