package dev.duoka.doctor.check;

/** The NCCL that is found first against the one that PyTorch was built and tested with. */
final class NcclVersionCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "nccl-version",
          "NCCL as PyTorch was built with",
          "the copies on disk, PyTorch's build",
          "error when the major version differs, warning when it is older");

  private static final BuiltWithCheck LIBRARY =
      new BuiltWithCheck(
          "NCCL",
          "libnccl",
          "nvidia-nccl-cu",
          Compatibility.Build::nccl,
          "symbols are missing at start, or collectives hang on cards that this version does not"
              + " know");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    LIBRARY.examine(machine, out);
  }
}
