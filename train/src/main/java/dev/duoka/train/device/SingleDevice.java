package dev.duoka.train.device;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.config.DeviceChoice;

/** The one device that a command computes on, by the text of its option {@code --device}. */
public final class SingleDevice {
  /** The CPU. */
  public static final SingleDevice CPU = new SingleDevice(Device.CPU);

  private final Device device;

  private SingleDevice(Device device) {
    this.device = device;
  }

  /**
   * The device: auto, cpu, cuda, or one GPU such as cuda:0.
   *
   * @throws DuokaException when a GPU is asked for and none can be used
   */
  public static SingleDevice parse(String text) {
    DeviceChoice choice = choice(text, "");
    return switch (choice.kind()) {
      case CPU -> CPU;
      case AUTO -> Gpus.find().usable() ? new SingleDevice(Device.cuda(0)) : CPU;
      case CUDA -> {
        int count = Gpus.require().size();
        int index = choice.index().orElse(0);
        if (index >= count) {
          throw new DuokaException(
              ErrorCode.DEVICE,
              "--device is " + text + ", but this machine has " + count + " usable GPUs",
              "Use cuda:0 to cuda:" + (count - 1));
        }
        yield new SingleDevice(Device.cuda(index));
      }
    };
  }

  /**
   * As {@link #parse}, for benchmarks: meta counts memory alone, and auto is a GPU or nothing. A
   * step that a GPU takes in a second would take a CPU minutes and all of the host's memory.
   *
   * @throws DuokaException as {@link #parse}, and for auto when no GPU can be used
   */
  public static SingleDevice parseForBenchmark(String text) {
    if (text.equals("meta")) {
      return new SingleDevice(Device.META);
    }
    return parse(text, choice(text, "meta, or "), ", or --device meta to count memory alone");
  }

  /**
   * As {@link #parseForBenchmark}, where only what computes can be measured.
   *
   * @throws DuokaException as that method, and for meta
   */
  public static SingleDevice parseToMeasure(String text) {
    if (text.equals("meta")) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--device is meta, which computes nothing that could be measured",
          "Use cpu or cuda");
    }
    return parse(text, choice(text), "");
  }

  /** Auto is a GPU or nothing; {@code otherwise} is what else can be done. */
  private static SingleDevice parse(String text, DeviceChoice choice, String otherwise) {
    if (choice.kind() == DeviceChoice.Kind.AUTO) {
      Gpus.Answer gpus = Gpus.find();
      if (!gpus.usable()) {
        throw new DuokaException(
            ErrorCode.DEVICE,
            "there is no GPU to measure on: " + gpus.reason(),
            "Give --device cpu to measure this machine's CPU" + otherwise);
      }
    }
    return parse(text);
  }

  /** What {@code text} asks for, without looking for it. */
  public static DeviceChoice choice(String text) {
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

  /** The first rank's device of a run file. */
  public static SingleDevice of(DeviceChoice choice) {
    return new SingleDevice(DevicePlacement.choose(choice, new Mesh(1, 1, 1, 1, 1, 1)).of(0));
  }

  /** The device itself. */
  public Device device() {
    return device;
  }

  /** Whether it is a GPU. */
  public boolean isCuda() {
    return device.isCuda();
  }

  /** Whether nothing is computed and the memory alone counts. */
  public boolean isMeta() {
    return device.isMeta();
  }

  /** Binds the calling thread to it, alone in this process, with all of its processors. */
  public void prepareThread() {
    ComputeThread.prepare(device, Runtime.getRuntime().availableProcessors(), 1);
  }

  /** For example {@code cuda:0}. */
  @Override
  public String toString() {
    return device.toString();
  }
}
