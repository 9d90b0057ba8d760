package dev.duoka.measure.calibrate;

import dev.duoka.base.Median;
import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.hardware.StreamSample;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.measure.profile.StepProfile;
import dev.duoka.measure.step.StepBenchmark;
import dev.duoka.parallel.dryrun.StepParts;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.tensor.Device;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Times everything in a step that is no product, in the company that it has there: by steps of two
 * small networks that have each kind of function once, in two sizes, from which follow a latency
 * and a rate for each kind.
 */
final class LayerStreams {
  /** The forms of states that plans may have, but for the fullest. */
  private static final List<StateForm> FEWER_BITS =
      List.of(
          new StateForm(MomentForm.BF16, true, GradientForm.FP32),
          new StateForm(MomentForm.BITS8, true, GradientForm.FP32),
          new StateForm(MomentForm.BF16, false, GradientForm.FP32),
          new StateForm(MomentForm.BITS8, false, GradientForm.FP32),
          new StateForm(MomentForm.BF16, false, GradientForm.BF16),
          new StateForm(MomentForm.BITS8, false, GradientForm.BF16));

  /** The rate of what moves nothing. */
  private static final double UNBOUNDED = 1e18;

  private static final int STEPS = 4;

  /** What a call moved and took. */
  private record Point(double bytes, double seconds) {}

  private final Device device;
  private final CalibrationGrid grid;
  private final Map<String, List<Point>> points = new TreeMap<>();
  private final Map<Product, List<Double>> attention = new HashMap<>();

  LayerStreams(Device device, CalibrationGrid grid) {
    this.device = device;
    this.grid = grid;
  }

  List<StreamSample> measure(Calibration.Progress progress) {
    List<Runnable> runs = new ArrayList<>();
    for (ModelConfig network : grid.networks()) {
      for (CalibrationGrid.StepSize size : grid.steps()) {
        for (Recompute recompute : List.of(Recompute.NONE, Recompute.SELECTIVE)) {
          runs.add(() -> run(network, size, recompute, StateForm.FULL));
        }
      }
    }
    if (device.isCuda()) {
      FEWER_BITS.forEach(
          form ->
              runs.add(
                  () ->
                      run(
                          grid.networks().getFirst(),
                          grid.steps().getFirst(),
                          Recompute.NONE,
                          form)));
    }
    for (int i = 0; i < runs.size(); i++) {
      progress.reached("what moves bytes", i, runs.size());
      runs.get(i).run();
    }
    return points.entrySet().stream().map(it -> fit(it.getKey(), it.getValue())).toList();
  }

  /** What attention took in those steps, in seconds. */
  Map<Product, Double> attention() {
    Map<Product, Double> medians = new HashMap<>();
    attention.forEach((product, times) -> medians.put(product, Median.of(times)));
    return medians;
  }

  private void run(
      ModelConfig network, CalibrationGrid.StepSize size, Recompute recompute, StateForm form) {
    StepBenchmark.Spec step =
        new StepBenchmark.Spec(
            network,
            device.isCuda() ? Precision.BF16 : Precision.FP32,
            recompute,
            device,
            size.batch(),
            1,
            size.length(),
            size.warmUp(),
            STEPS,
            Runtime.getRuntime().availableProcessors(),
            new StateSettings(form, Offload.NONE, OffloadUpdate.DEVICE, 1),
            false,
            network.vocabSize());
    boolean others = form.equals(StateForm.FULL);
    Map<String, List<Point>> seen = new TreeMap<>();
    try (StepProfile profile = new StepProfile(device)) {
      StepBenchmark.run(step, profile);
      for (StepProfile.Span span : profile.spans()) {
        Product product = span.work().product();
        if (product != null && product.shape() instanceof ProductShape.Attention) {
          attention
              .computeIfAbsent(product, _ -> new ArrayList<>())
              .add((span.endMs() - span.startMs()) * 1e-3);
        }
        if (isStream(span) && (others || span.phase() == Phase.UPDATE)) {
          seen.computeIfAbsent(span.phase() + " " + span.name(), _ -> new ArrayList<>())
              .add(new Point(span.work().bytes(), (span.endMs() - span.startMs()) * 1e-3));
        }
      }
      for (StepProfile.Span span : profile.spans()) {
        List<Point> calls = seen.remove(span.phase() + " " + span.name());
        if (calls != null) {
          points
              .computeIfAbsent(name(span, recompute, form), _ -> new ArrayList<>())
              .add(median(calls));
        }
      }
    }
  }

  private static boolean isStream(StepProfile.Span span) {
    return span.work().product() == null && span.work().flops() == 0;
  }

  private static String name(StepProfile.Span span, Recompute recompute, StateForm form) {
    String kind = new StepParts.Part(span.phase(), span.name(), false, span.work()).kind();
    String variant =
        span.phase() == Phase.UPDATE
            ? form.toString()
            : recompute == Recompute.SELECTIVE ? "selective" : "";
    return StreamSample.name(kind, span.phase().name(), variant);
  }

  private static Point median(List<Point> calls) {
    return new Point(
        calls.getFirst().bytes(), Median.of(calls.stream().map(Point::seconds).toList()));
  }

  /** Latency and rate with the least relative error, neither below zero. */
  private static StreamSample fit(String name, List<Point> points) {
    double one = 0;
    double x = 0;
    double xx = 0;
    double t = 0;
    double xt = 0;
    for (Point point : points) {
      double weight = 1 / (point.seconds() * point.seconds());
      one += weight;
      x += weight * point.bytes();
      xx += weight * point.bytes() * point.bytes();
      t += weight * point.seconds();
      xt += weight * point.bytes() * point.seconds();
    }
    double determinant = one * xx - x * x;
    double slope = determinant > 1e-9 * one * xx ? (one * xt - x * t) / determinant : 0;
    if (slope <= 0) { // all of one size
      return xx > 0
          ? new StreamSample(name, 0, xx / xt)
          : new StreamSample(name, t / one, UNBOUNDED);
    }
    double latency = (t - slope * x) / one;
    return latency >= 0
        ? new StreamSample(name, latency, 1 / slope)
        : new StreamSample(name, 0, xx / xt);
  }
}
