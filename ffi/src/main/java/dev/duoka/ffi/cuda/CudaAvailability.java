package dev.duoka.ffi.cuda;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.library.DeviceCode;
import dev.duoka.ffi.library.LibraryChoice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Whether this process can compute on a GPU, and exactly why not.
 *
 * <p>Who asked for a GPU gets one or an error: nothing falls back to the CPU.
 */
public sealed interface CudaAvailability {
  /**
   * LibTorch, the driver and every visible device fit together.
   *
   * @param devices in the order of their ordinals
   */
  record Usable(List<CudaDevice> devices) implements CudaAvailability {
    /** Keeps a copy of the list. */
    public Usable {
      devices = List.copyOf(devices);
    }
  }

  /**
   * No GPU can be used.
   *
   * @param obstacle what kind of thing is in the way
   * @param reason what was seen, without the final period
   * @param remedy the next step, one imperative sentence
   */
  record NotUsable(Obstacle obstacle, String reason, String remedy) implements CudaAvailability {}

  /** What can be in the way of using a GPU. */
  enum Obstacle {
    /** The chosen LibTorch has no CUDA code. */
    CPU_BUILD,
    /** No driver, or a driver without a device. */
    NO_DEVICE,
    /** The driver is older than the CUDA version that LibTorch was built with. */
    DRIVER_TOO_OLD,
    /** LibTorch was built without code for a card. */
    ARCHITECTURE
  }

  /**
   * The answer of this process, which does not change: the first call loads LibTorch and the driver
   * and looks at the devices, later ones cost nothing.
   */
  static CudaAvailability check() {
    return CheckedCuda.availability();
  }

  /**
   * The devices.
   *
   * @throws DuokaException of code {@code DEVICE} with the reason and the remedy
   */
  default List<CudaDevice> orElseThrow() {
    return switch (this) {
      case Usable(List<CudaDevice> devices) -> devices;
      case NotUsable(_, String reason, String remedy) ->
          throw new DuokaException(ErrorCode.DEVICE, "a GPU was asked for, but " + reason, remedy);
    };
  }

  /** What has to be known of a device to tell whether a build of LibTorch runs on it. */
  record Card(String device, String name, ComputeCapability capability) {}

  /** The answer for a LibTorch without CUDA. */
  static NotUsable cpuBuild(LibraryChoice torch) {
    return new NotUsable(
        Obstacle.CPU_BUILD,
        "LibTorch "
            + torch.version()
            + " in "
            + torch.folder()
            + " ("
            + torch.origin()
            + ") is a CPU build",
        "Install a CUDA build of PyTorch (pip install torch), or name its torch/lib folder with"
            + " DUOKA_LIBTORCH");
  }

  /**
   * What of a CUDA build does not fit a driver and its cards; empty when all fits.
   *
   * @param built the CUDA version of the build, where it is known
   * @param code the build's machine code, where it could be read
   */
  static Optional<NotUsable> mismatch(
      LibraryChoice torch,
      Optional<CudaVersion> built,
      CudaVersion driver,
      List<Card> cards,
      Optional<DeviceCode> code) {
    // Within one major version any driver will do ("minor version compatibility").
    if (built.isPresent() && driver.major() < built.get().major()) {
      return Optional.of(
          new NotUsable(
              Obstacle.DRIVER_TOO_OLD,
              "LibTorch "
                  + torch.version()
                  + " was built with CUDA "
                  + built.get()
                  + " and the driver supports CUDA "
                  + driver
                  + " at most",
              "Update the driver, or install a PyTorch built with CUDA " + driver.major()));
    }
    if (code.isEmpty()) {
      return Optional.empty();
    }
    for (Card card : cards) {
      if (!code.get().runsOn(card.capability().major(), card.capability().minor())) {
        return Optional.of(
            new NotUsable(
                Obstacle.ARCHITECTURE,
                "LibTorch "
                    + torch.version()
                    + " has no code for "
                    + card.device()
                    + ", a "
                    + card.name()
                    + " of compute capability "
                    + card.capability()
                    + "; it has "
                    + code.get().text(),
                "Install a PyTorch built for that card, or hide the card with"
                    + " CUDA_VISIBLE_DEVICES"));
      }
    }
    return Optional.empty();
  }

  /** What a CUDA build was compiled for; empty when its library cannot be read. */
  static Optional<DeviceCode> deviceCode(LibraryChoice torch) {
    Path library = torch.folder().resolve("libtorch_cuda.so");
    try {
      return Optional.of(DeviceCode.of(library));
    } catch (IOException e) {
      return Optional.empty(); // the check is a courtesy: launching would fail with its own error
    }
  }
}
