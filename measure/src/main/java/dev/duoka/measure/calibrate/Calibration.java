package dev.duoka.measure.calibrate;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.hardware.AttentionSample;
import dev.duoka.hardware.ExchangeSample;
import dev.duoka.hardware.HostSample;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.NumberFormat;
import dev.duoka.hardware.ProductSample;
import dev.duoka.hardware.StreamSample;
import dev.duoka.measure.comm.CollectiveBenchmark;
import dev.duoka.measure.comm.CollectiveLine;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.measure.kernel.KernelBenchmark;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.device.SingleDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Measures a machine in a few minutes: each part alone, on random numbers, on its first card; then
 * the exchange between the cards, and what lies beside them. It must be idle. One thread, which it
 * binds to the device.
 */
public final class Calibration {
  /** Told what is measured, how much of it is done, and of how much. */
  @FunctionalInterface
  public interface Progress {
    /** The next {@code done} of {@code total} measurements of {@code part}. */
    void reached(String part, long done, long total);
  }

  /** Of wrong results; more say no more. */
  private static final int MOST_NAMED = 6;

  private final SingleDevice device;
  private final CalibrationGrid grid;
  private final Progress progress;

  private Calibration(SingleDevice device, CalibrationGrid grid, Progress progress) {
    this.device = device;
    this.progress = progress;
    this.grid = grid;
  }

  /**
   * Measures.
   *
   * @param device the first card, or the CPU
   * @param date when, as ISO 8601
   * @param cards the driver's names of all cards
   * @param versions of driver and libraries
   * @param disk an existing folder on the disk that checkpoints go to
   * @throws DuokaException before anything is measured where that cannot be written, and where an
   *     exchange gives a wrong result
   */
  public static MachineProfile run(
      SingleDevice device,
      String date,
      List<String> cards,
      Map<String, String> versions,
      Path disk,
      Progress progress) {
    return run(device, CalibrationGrid.of(device.device()), date, cards, versions, disk, progress);
  }

  static MachineProfile run(
      SingleDevice device,
      CalibrationGrid grid,
      String date,
      List<String> cards,
      Map<String, String> versions,
      Path disk,
      Progress progress) {
    long start = System.nanoTime();
    HostTimer beside = new HostTimer(device.device(), grid);
    beside.requireDisk(disk);
    device.prepareThread();
    Calibration of = new Calibration(device, grid, progress);
    DeviceRates rates = DeviceRates.calibrate(device.device(), grid.dtype());
    double launch = new LaunchTimer(device.device()).seconds();
    LayerStreams layers = new LayerStreams(device.device(), grid);
    List<StreamSample> streams = of.streams(rates, layers);
    List<ProductSample> products = of.products();
    List<AttentionSample> attention =
        new AttentionInSteps(layers.attention())
            .of(new AttentionGrid(device.device(), grid).measure(progress));
    List<ExchangeSample> exchanges = of.exchanges();
    progress.reached("host and disk", 0, 1);
    Optional<HostSample> host = Optional.of(beside.measure(disk));
    return new MachineProfile(
        date,
        cards,
        versions,
        (System.nanoTime() - start) * 1e-9,
        launch,
        products,
        attention,
        streams,
        exchanges,
        host);
  }

  private List<ProductSample> products() {
    ProductGrid measured = new ProductGrid(device.device(), grid);
    List<ProductSample> all = new ArrayList<>(measured.plain(format(), progress));
    all.addAll(measured.grouped(format(), progress));
    if (measured.hasEightBits()) {
      all.addAll(measured.eightBits(progress));
    }
    return all;
  }

  private NumberFormat format() {
    return device.isCuda() ? NumberFormat.BF16 : NumberFormat.FP32;
  }

  private List<StreamSample> streams(DeviceRates rates, LayerStreams layers) {
    List<StreamSample> streams = new ArrayList<>();
    streams.add(new StreamSample(StreamSample.COPY, 0, rates.bytes()));
    if (device.isCuda()) { // elsewhere these are compositions
      KernelBenchmark.beside(device.device(), grid.dtype(), grid.kernels())
          .forEach((name, rate) -> streams.add(new StreamSample(name, 0, rate)));
    }
    streams.addAll(layers.measure(progress));
    return streams;
  }

  /** Between two, four and so on neighbours, and all of them, by what a run would take. */
  private List<ExchangeSample> exchanges() {
    List<ExchangeSample> samples = new ArrayList<>();
    Device first = device.device();
    int all = first.isCuda() ? Gpus.require().size() : 2;
    List<Integer> counts = new ArrayList<>();
    for (int ranks = 2; ranks < all; ranks *= 2) {
      counts.add(ranks);
    }
    if (all > 1) {
      counts.add(all);
    }
    for (int i = 0; i < counts.size(); i++) {
      progress.reached("exchange", i, counts.size());
      CollectiveBenchmark.Report report =
          CollectiveBenchmark.of(
                  OptionalInt.of(counts.get(i)), first.isCuda() ? "cuda" : "cpu", "auto")
              .run(grid.exchanges());
      samples.addAll(samples(report));
    }
    return samples;
  }

  /**
   * The times of exchanges.
   *
   * @throws DuokaException with {@link ErrorCode#DEVICE} when one of them was wrong: a profile
   *     without it would be filled from the catalogue, and the machine would be trained on
   */
  static List<ExchangeSample> samples(CollectiveBenchmark.Report report) {
    List<String> wrong =
        report.lines().stream().flatMap(line -> wrong(line).stream()).limit(MOST_NAMED).toList();
    if (!wrong.isEmpty()) {
      throw new DuokaException(
          ErrorCode.DEVICE,
          "exchanges between "
              + report.devices().size()
              + " ranks on "
              + String.join(", ", report.devices())
              + " give wrong results, and nothing is written: "
              + String.join("; ", wrong),
          "Do not train on these devices together: run 'duoka doctor', then 'duoka bench comm"
              + " --ranks "
              + report.devices().size()
              + (report.devices().contains(Device.CPU.toString()) ? " --device cpu" : "")
              + "', which tries every transport.");
    }
    return report.lines().stream()
        .map(
            line ->
                new ExchangeSample(
                    line.collective().toString(),
                    line.transport().toString(),
                    line.ranks(),
                    line.bytes(),
                    line.seconds()))
        .toList();
  }

  private static Optional<String> wrong(CollectiveLine line) {
    return line.wrong()
        .map(
            it ->
                line.collective()
                    + " of "
                    + ByteSize.text(line.bytes())
                    + " by "
                    + line.transport()
                    + ", "
                    + it);
  }
}
