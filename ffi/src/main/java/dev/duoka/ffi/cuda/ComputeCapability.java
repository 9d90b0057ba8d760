package dev.duoka.ffi.cuda;

/** A GPU's compute capability, for example 9.0 for Hopper. */
public record ComputeCapability(int major, int minor) implements Comparable<ComputeCapability> {
  /**
   * The name of the architecture for compilers, for example {@code sm_80}. From 9.0 on it is the
   * variant with the instructions of exactly this chip, for example {@code sm_90a}: kernels are
   * compiled on the machine that runs them, so nothing is lost by that.
   */
  public String architecture() {
    return "sm_" + major + minor + (major >= 9 ? "a" : "");
  }

  @Override
  public int compareTo(ComputeCapability other) {
    return major != other.major
        ? Integer.compare(major, other.major)
        : Integer.compare(minor, other.minor);
  }

  @Override
  public String toString() {
    return major + "." + minor;
  }
}
