package dev.duoka.tensor;

import dev.duoka.ffi.torch.Codes;
import org.jspecify.annotations.Nullable;

/**
 * Where a tensor lives.
 *
 * @param type the kind of device
 * @param index which one of its kind; 0 for the CPU
 */
public record Device(Type type, int index) {
  /** The host. */
  public static final Device CPU = new Device(Type.CPU, 0);

  /** No memory at all: tensors there have shapes and dtypes only, for a dry run. */
  public static final Device META = new Device(Type.META, 0);

  /** The host's memory in a dry run that stands for a GPU: booked apart from the GPU's. */
  public static final Device META_HOST = new Device(Type.META, 1);

  /** The kinds of device. */
  public enum Type {
    CPU("cpu"),
    CUDA("cuda"),
    META("meta");

    private final String torchName;

    Type(String torchName) {
      this.torchName = torchName;
    }
  }

  /** The GPU with this CUDA index. */
  public static Device cuda(int index) {
    return new Device(Type.CUDA, index);
  }

  /** The device of host memory beside this one: itself, unless it is or stands for a GPU. */
  public Device host() {
    return switch (type) {
      case CPU, CUDA -> CPU;
      case META ->
          DryRunDevice.real().map(Device::isCuda).orElse(true) || equals(META_HOST)
              ? META_HOST
              : META;
    };
  }

  /** Whether this is a GPU. */
  public boolean isCuda() {
    return type == Type.CUDA;
  }

  /** Whether tensors here hold no data. */
  public boolean isMeta() {
    return type == Type.META;
  }

  /** LibTorch's code of the device type. */
  public int typeCode() {
    return TypeCodes.get()[type.ordinal()];
  }

  /** LibTorch's index of the device: −1 where there is only one. */
  public int torchIndex() {
    return isCuda() ? index : -1;
  }

  @Override
  public String toString() {
    if (equals(META_HOST)) {
      return "meta host";
    }
    return isCuda() ? "cuda:" + index : type.torchName;
  }

  private static final class TypeCodes {
    // No initialiser: a failure in it would reach the caller wrapped in an Error.
    private static volatile int @Nullable [] codes;

    static int[] get() {
      int[] known = codes;
      if (known == null) {
        known = new int[Type.values().length];
        for (Type type : Type.values()) {
          known[type.ordinal()] = Codes.deviceType(type.torchName);
        }
        codes = known;
      }
      return known;
    }
  }
}
