package dev.duoka.doctor.check;

/** The cuDNN that is found first against the one that PyTorch was built and tested with. */
final class CudnnCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "cudnn",
          "cuDNN as PyTorch was built with",
          "the copies on disk, PyTorch's build",
          "error when the major version differs, warning when it is older");

  private static final BuiltWithCheck LIBRARY =
      new BuiltWithCheck(
          "cuDNN",
          "libcudnn",
          "nvidia-cudnn-cu",
          Compatibility.Build::cudnn,
          "fused attention fails or falls back to slow kernels; a mixture of parts ends in"
              + " CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    LIBRARY.examine(machine, out);
  }
}
