package dev.duoka.measure.kernel;

import dev.duoka.engine.autograd.Work;
import dev.duoka.hardware.StreamSample;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.train.device.SingleDevice;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Times our own CUDA kernels one by one, against what they must move and compute. */
public final class KernelBenchmark {
  /**
   * The sizes of a model's layers.
   *
   * @param rows tokens
   * @param hidden the width of norms and of the rows that go to experts
   * @param intermediate the width of SwiGLU
   * @param vocabulary the number of tokens there are
   * @param heads of attention
   * @param headWidth of a query
   * @param nope width of the part without position of a head of latent attention
   * @param rope width of the rotated part
   * @param value width of a value
   * @param experts of a mixture
   * @param expertsPerToken of those
   * @param expertWidth the width of an expert's SwiGLU
   */
  public record Sizes(
      long rows,
      long hidden,
      long intermediate,
      long vocabulary,
      int heads,
      int headWidth,
      int nope,
      int rope,
      int value,
      int experts,
      int expertsPerToken,
      long expertWidth) {
    /** Tokens that go to experts or through the loss at once: their results are large. */
    long fewerRows() {
      return Math.min(rows, 8192);
    }
  }

  /**
   * One kernel.
   *
   * @param work the least that it has to compute and to move
   * @param milliseconds the median of its calls; NaN where the card or the sizes do not allow it
   */
  public record Line(String name, Work work, double milliseconds) {
    /** Operations, in thousand millions. */
    public double gigaFlops() {
      return work.flops() * 1e-9;
    }

    /** The operations that it has to do at least. */
    public double flops() {
      return work.flops();
    }

    /** The bytes that it has to move at least. */
    public double bytes() {
      return work.bytes();
    }

    /** Bytes, in millions. */
    public double megabytes() {
      return work.bytes() * 1e-6;
    }

    /** Whether it ran. */
    public boolean measured() {
      return Double.isFinite(milliseconds);
    }

    /** The least time that a device with these rates needs. */
    public double floorMilliseconds(DeviceRates rates) {
      return rates.floor(work) * 1e3;
    }

    /** The floor's share in the measured time. */
    public double rooflineUtilisation(DeviceRates rates) {
      return floorMilliseconds(rates) / milliseconds;
    }
  }

  /**
   * What was measured.
   *
   * @param device the GPU
   * @param rates what it can do at best
   * @param lines one for each kernel
   */
  public record Report(SingleDevice device, DeviceRates rates, List<Line> lines) {}

  private KernelBenchmark() {}

  /**
   * Runs all kernels of a bf16 model on the first GPU.
   *
   * @throws dev.duoka.base.DuokaException when there is no usable GPU
   */
  public static Report onGpu(Sizes sizes) {
    SingleDevice gpu = SingleDevice.parse("cuda");
    ComputeThread.prepare(gpu.device(), 1, 1);
    DeviceRates rates = DeviceRates.calibrate(gpu.device(), Dtype.BFLOAT16);
    return new Report(gpu, rates, run(gpu.device(), Dtype.BFLOAT16, sizes));
  }

  /**
   * Runs all kernels.
   *
   * @param dtype of the model: bf16 or fp16
   */
  public static List<Line> run(Device device, Dtype dtype, Sizes sizes) {
    try (Scope _ = Scope.open();
        KernelTimer timer = new KernelTimer(device, dtype)) {
      new LayerKernels(timer, sizes).run();
      new ExpertKernels(timer, sizes).run();
      new StepKernels(timer, sizes).run();
      return timer.lines();
    }
  }

  /**
   * Bytes a second of what surrounds products in the same function, by {@link StreamSample}'s
   * names: the loss and its gradient, and quantization where the card has it.
   */
  public static Map<String, Double> beside(Device device, Dtype dtype, Sizes sizes) {
    try (Scope _ = Scope.open();
        KernelTimer timer = new KernelTimer(device, dtype)) {
      new StepKernels(timer, sizes).crossEntropy();
      new LayerKernels(timer, sizes).quantization();
      Map<String, Double> rates = new LinkedHashMap<>();
      for (Line line : timer.lines()) {
        if (line.measured()) {
          rates.put(
              line.name().startsWith("quantize") ? line.name() : StreamSample.CROSS_ENTROPY,
              line.bytes() / line.milliseconds() * 1e3);
        }
      }
      return rates;
    }
  }
}
