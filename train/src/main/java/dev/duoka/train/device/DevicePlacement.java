package dev.duoka.train.device;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.config.DeviceChoice;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Which device each rank computes on.
 *
 * @param devices one per rank
 * @param names the names of the GPUs in CUDA's order; empty on the CPU
 * @param reason why this device was taken
 */
public record DevicePlacement(List<Device> devices, List<String> names, String reason) {
  /** A rank's device. */
  public Device of(int rank) {
    return devices.get(rank);
  }

  /**
   * Each rank computes on a GPU of its own, neighbouring ranks within one NVLink group as far as it
   * reaches ({@link NearGpus}); an explicit index puts all ranks on that one GPU.
   */
  public static DevicePlacement choose(DeviceChoice choice, int ranks) {
    return switch (choice.kind()) {
      case CPU -> onCpu(ranks, "asked for");
      case CUDA -> onGpus(choice, ranks, Gpus.require(), "asked for");
      case AUTO -> {
        Gpus.Answer gpus = Gpus.find();
        yield gpus.usable()
            ? onGpus(choice, ranks, gpus.names(), "a usable GPU was found")
            : onCpu(ranks, "no usable GPU: " + gpus.reason());
      }
    };
  }

  /** As {@link #choose}, but where there are fewer GPUs than ranks neighbours share them. */
  public static DevicePlacement shared(DeviceChoice choice, int ranks) {
    if (choice.kind() == DeviceChoice.Kind.CPU || choice.index().isPresent()) {
      return choose(choice, ranks);
    }
    List<String> names = Gpus.find().names();
    if (names.isEmpty() || names.size() >= ranks) {
      return choose(choice, ranks);
    }
    int gpus = names.size();
    return new DevicePlacement(
        IntStream.range(0, ranks).mapToObj(rank -> Device.cuda(rank * gpus / ranks)).toList(),
        names,
        ranks + " ranks share " + gpus + " GPUs");
  }

  private static DevicePlacement onCpu(int ranks, String reason) {
    return new DevicePlacement(Collections.nCopies(ranks, Device.CPU), List.of(), reason);
  }

  private static DevicePlacement onGpus(
      DeviceChoice choice, int ranks, List<String> names, String reason) {
    int last = choice.index().isPresent() ? choice.index().getAsInt() : ranks - 1;
    if (last >= names.size()) {
      throw new DuokaException(
          ErrorCode.DEVICE,
          choice.index().isPresent()
              ? "device cuda:"
                  + last
                  + " was asked for, but this machine has "
                  + names.size()
                  + " usable GPUs"
              : ranks + " ranks want a GPU each, but this machine has " + names.size(),
          choice.index().isPresent()
              ? "Use cuda:0 to cuda:" + (names.size() - 1)
              : "Set parallel.data and its like so that their product is at most "
                  + names.size()
                  + ", or device: cuda:0 to share one");
    }
    if (choice.index().isPresent() || ranks == 1) {
      return new DevicePlacement(
          Collections.nCopies(ranks, Device.cuda(Math.max(last, 0))), names, reason);
    }
    Optional<List<Integer>> near = NearGpus.of(ranks, Gpus.pciBusIds(), LiveProbe.topology());
    List<Integer> gpus = near.orElseGet(() -> IntStream.range(0, ranks).boxed().toList());
    return new DevicePlacement(
        gpus.stream().map(Device::cuda).toList(),
        names,
        reason
            + (near.isPresent()
                ? ", and ranks lie on GPUs " + gpus + " as NVLink groups them"
                : ", and ranks lie on the first GPUs: how they are linked is not known"));
  }
}
