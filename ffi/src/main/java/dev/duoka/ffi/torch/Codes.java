package dev.duoka.ffi.torch;

/** LibTorch's codes of dtypes and devices, asked from the loaded library. */
public final class Codes {
  private Codes() {}

  /** The code of a dtype by LibTorch's name, for example {@code bfloat16}. */
  public static int dtype(String name) {
    return TorchFunctions.constant("aoti_torch_dtype_" + name);
  }

  /** The code of a device type by LibTorch's name: {@code cpu}, {@code cuda} or {@code meta}. */
  public static int deviceType(String name) {
    return TorchFunctions.constant("aoti_torch_device_type_" + name);
  }
}
