package dev.duoka.measure.calibrate;

import dev.duoka.base.ByteSize;
import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.hardware.HostSample;
import dev.duoka.layout.StateForm;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.ElementRuns;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.Tensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.Supplier;

/** Times what lies beside the cards: copies to and from them, the optimizer on it, its disk. */
final class HostTimer {
  private static final int ROUNDS = 5;
  private static final int CHUNK = 8 << 20;

  private final Device device;
  private final CalibrationGrid grid;

  HostTimer(Device device, CalibrationGrid grid) {
    this.device = device;
    this.grid = grid;
  }

  /**
   * Refuses a folder whose disk could not be timed, before all else is measured.
   *
   * @throws DuokaException where it is not there, cannot be written, or has too little room
   */
  void requireDisk(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--disk " + folder + (Files.exists(folder) ? " is no folder" : " does not exist"),
          "Name a folder that is there, on the disk that checkpoints go to.");
    }
    try {
      CrashSafeFiles.tryOut(folder);
      long room = Files.getFileStore(folder).getUsableSpace();
      if (room < grid.fileBytes()) {
        throw new DuokaException(
            ErrorCode.NO_SPACE,
            "the disk of "
                + folder
                + " has "
                + ByteSize.text(room)
                + " of room, and is timed with "
                + ByteSize.text(grid.fileBytes()),
            "Make room, or name another folder with --disk.");
      }
    } catch (IOException e) {
      throw notTimed(folder, e);
    }
  }

  private static DuokaException notTimed(Path folder, IOException why) {
    return new DuokaException(
        ErrorCode.IO,
        "cannot time the disk of " + folder + ": " + IoReason.of(why),
        "Name a folder with 2 GiB of room with --disk.",
        why);
  }

  HostSample measure(Path disk) {
    double toDevice;
    double toHost;
    double bothWays;
    try (Scope _ = Scope.open()) {
      Tensor host = Tensors.zeros(Dtype.FLOAT32, device.host(), grid.weights());
      Tensor ofDevice = Tensors.zeros(Dtype.FLOAT32, device, grid.weights());
      Tensor back = Tensors.zeros(Dtype.FLOAT32, device.host(), grid.weights());
      Tensor leaving = Tensors.zeros(Dtype.FLOAT32, device, grid.weights());
      try (HostTransfer transfer = new HostTransfer(device)) {
        transfer.lock(host);
        transfer.lock(back);
        Supplier<HostTransfer.Mark> in =
            () -> transfer.toDevice(ofDevice, host, HostTransfer.Mark.NONE);
        Supplier<HostTransfer.Mark> out = () -> transfer.toHost(back, leaving);
        double bytes = host.bytes();
        toDevice = bytes / least(transfer, List.of(in));
        toHost = bytes / least(transfer, List.of(out));
        bothWays = bytes / least(transfer, List.of(in, out));
      }
    }
    double[] rates = disk(disk);
    return new HostSample(
        toDevice, toHost, OptionalDouble.of(bothWays), updateSeconds(), rates[0], rates[1]);
  }

  /** Seconds until all copies, launched together, have ended. */
  private static double least(HostTransfer of, List<Supplier<HostTransfer.Mark>> copies) {
    double least = Double.MAX_VALUE;
    for (int i = 0; i < ROUNDS; i++) {
      of.await();
      long start = System.nanoTime();
      List<HostTransfer.Mark> ends = copies.stream().map(Supplier::get).toList();
      ends.forEach(HostTransfer.Mark::await);
      least = Math.min(least, (System.nanoTime() - start) * 1e-9);
      ends.forEach(HostTransfer.Mark::forget);
    }
    return least;
  }

  /**
   * Of one weight, with all processors: unscaling, AdamW in fp32, and dividing it into 16 bits
   * twice. The sum of squares is taken while the backward pass runs.
   */
  private double updateSeconds() {
    try (Scope _ = Scope.open()) {
      Tensor weights = Tensors.zeros(Dtype.BFLOAT16, Device.CPU, grid.weights());
      Tensor gradients = Tensors.full(1e-3, Dtype.FLOAT32, Device.CPU, grid.weights());
      AdamWSettings settings = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1);
      AdamW.States states = new AdamW.States(StateForm.FULL, 1, new ElementRuns(List.of()));
      try (AdamW optimizer = new AdamW(weights, gradients, settings, states)) {
        double least = Double.MAX_VALUE;
        for (int step = 1; step <= ROUNDS; step++) {
          long start = System.nanoTime();
          optimizer.update(new AdamW.Update(1e-4, step, 1), 0.999);
          least = Math.min(least, (System.nanoTime() - start) * 1e-9);
        }
        return least / grid.weights();
      }
    }
  }

  /** Bytes a second written until they are on the disk, and read again. */
  private double[] disk(Path folder) {
    Path file = folder.resolve(".duoka-calibrate-" + ProcessHandle.current().pid());
    try {
      ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
      byte[] content = new byte[CHUNK]; // a disk that compresses must not find zeros
      new Random(1).nextBytes(content);
      chunk.put(content).flip();
      long start = System.nanoTime();
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        for (long done = 0; done < grid.fileBytes(); done += CHUNK) {
          while (chunk.hasRemaining()) {
            channel.write(chunk);
          }
          chunk.rewind();
        }
        channel.force(true);
      }
      double written = grid.fileBytes() / ((System.nanoTime() - start) * 1e-9);
      start = System.nanoTime();
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        while (channel.read(chunk) >= 0) {
          chunk.clear();
        }
      }
      return new double[] {written, grid.fileBytes() / ((System.nanoTime() - start) * 1e-9)};
    } catch (IOException e) {
      throw notTimed(folder, e);
    } finally {
      deleteQuietly(file);
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException ignored) { // a file that was never made, or a disk that is gone
      file.toFile().deleteOnExit();
    }
  }
}
