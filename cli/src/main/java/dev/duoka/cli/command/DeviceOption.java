package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.config.DeviceChoice;

/** Reads the value of {@code --device} of commands that use one device. */
final class DeviceOption {
  private DeviceOption() {}

  /**
   * The device.
   *
   * @throws DuokaException when a GPU is asked for and none can be used
   */
  static Device parse(String text) {
    DeviceChoice choice = choice(text, "");
    return switch (choice.kind()) {
      case CPU -> Device.CPU;
      case AUTO -> Gpus.find().usable() ? Device.cuda(0) : Device.CPU;
      case CUDA -> {
        int count = Gpus.require().size();
        int index = choice.index().orElse(0);
        if (index >= count) {
          throw new DuokaException(
              ErrorCode.DEVICE,
              "--device is " + text + ", but this machine has " + count + " usable GPUs",
              "Use cuda:0 to cuda:" + (count - 1));
        }
        yield Device.cuda(index);
      }
    };
  }

  /**
   * The device of commands that can also count memory alone.
   *
   * @throws DuokaException as {@link #parse}
   */
  static Device parseOrMeta(String text) {
    if (text.equals("meta")) {
      return Device.META;
    }
    choice(text, "meta, or ");
    return parse(text);
  }

  /** What {@code text} asks for, without looking for it. */
  static DeviceChoice choice(String text) {
    return choice(text, "");
  }

  private static DeviceChoice choice(String text, String others) {
    try {
      return DeviceChoice.parse(text);
    } catch (IllegalArgumentException e) {
      throw new DuokaException(
          ErrorCode.USAGE, "--device is '" + text + "'", "Use " + others + e.getMessage(), e);
    }
  }
}
