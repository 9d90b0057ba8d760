package dev.duoka.cli.command;

import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.SingleDevice;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of commands whose model writes: on which device, or on which several. */
final class WritingDevices {
  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description = "cpu (default), cuda, or one GPU such as cuda:0.")
  private String device = "cpu";

  @Option(
      names = "--mesh",
      paramLabel = "AXIS=N,…",
      description =
          "Ranks along tensor, pipeline and, with data, expert: tensor=2, or data=2,expert=2. Each"
              + " on a GPU of its own where there are enough, else several on one.")
  private @Nullable String mesh;

  /** The one, where no mesh was given. */
  SingleDevice single() {
    return SingleDevice.parse(device);
  }

  /** The mesh that was given. */
  Optional<ParallelSettings> mesh() {
    return Optional.ofNullable(mesh).map(MeshOption::parse);
  }

  /** Where the ranks of a mesh lie. */
  DevicePlacement placement(ParallelSettings parallel) {
    return DevicePlacement.shared(SingleDevice.choice(device), parallel.mesh());
  }
}
