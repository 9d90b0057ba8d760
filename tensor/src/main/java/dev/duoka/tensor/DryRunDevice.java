package dev.duoka.tensor;

import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Which device a dry run on {@code meta} stands for, where that is known: what it books is then
 * what that device would. Without it a dry run in 16 and 8 bits stands for a GPU with our kernels,
 * and one in fp32 for a CPU.
 */
public final class DryRunDevice {
  private static final ThreadLocal<@Nullable Device> REAL = new ThreadLocal<>();

  private DryRunDevice() {}

  /** Makes a dry run on the calling thread that stands for {@code real}. */
  public static <T> T of(Device real, Supplier<T> dryRun) {
    Device outer = REAL.get();
    REAL.set(real);
    try {
      return dryRun.get();
    } finally {
      REAL.set(outer);
    }
  }

  /** What the calling thread's dry run stands for; empty where it was not said. */
  public static Optional<Device> real() {
    return Optional.ofNullable(REAL.get());
  }

  /** Whether our kernels would run for tensors of 16 bits, or of fp32 otherwise. */
  public static boolean hasKernels(boolean half) {
    return real().map(Device::isCuda).orElse(half);
  }
}
