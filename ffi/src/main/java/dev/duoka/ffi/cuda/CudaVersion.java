package dev.duoka.ffi.cuda;

/** A CUDA version, for example 13.0. */
public record CudaVersion(int major, int minor) implements Comparable<CudaVersion> {
  /** From CUDA's own number: 13000 is 13.0, 12080 is 12.8. */
  public static CudaVersion of(int number) {
    return new CudaVersion(number / 1000, number % 1000 / 10);
  }

  @Override
  public int compareTo(CudaVersion other) {
    return major != other.major
        ? Integer.compare(major, other.major)
        : Integer.compare(minor, other.minor);
  }

  @Override
  public String toString() {
    return major + "." + minor;
  }
}
