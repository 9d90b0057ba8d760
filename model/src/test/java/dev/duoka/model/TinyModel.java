package dev.duoka.model;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.BalanceLoss;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Recompute;
import dev.duoka.model.layer.Pass;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** A preset of a few hundred thousand weights, with random tokens to train on. */
public final class TinyModel implements AutoCloseable {
  /** One of each architecture. */
  public static final List<String> PRESETS =
      List.of("tiny-llama", "tiny-moe", "tiny-v2", "tiny-v3");

  private static final int POSITIONS = 200;

  private final LanguageModel model;
  private final Device device;
  private final int predictionDepth;

  /** A preset in fp32, initialised; V3 with a module that predicts one token further. */
  public TinyModel(String preset, Device device) {
    this(preset, Dtype.FLOAT32, device);
  }

  /** A preset in {@code dtype}. */
  public TinyModel(String preset, Dtype dtype, Device device) {
    ModelConfig config = config(preset);
    this.device = device;
    this.predictionDepth = config.mtpModules();
    this.model =
        ModelFactory.create(
            config, new ModelFactory.Allocation(dtype, device, true, POSITIONS, predictionDepth));
    WeightInitializer.initialize(model, 7);
  }

  /** The preset's configuration; V3's with one module for further tokens. */
  public static ModelConfig config(String preset) {
    ModelConfig config = Presets.named(preset);
    return config.with(config.layers(), config.moe(), preset.equals("tiny-v3") ? 1 : 0);
  }

  /** The model itself. */
  public LanguageModel model() {
    return model;
  }

  /** Random tokens, each sequence's last one without a target. */
  public TokenBatch batch(long seed, int sequences, int length) {
    long[] tokens = tokens(seed, sequences * length);
    long[] targets = new long[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      targets[i] = i % length == length - 1 ? -100 : tokens[i + 1];
    }
    return new TokenBatch(tokens, targets, sequences, predictionDepth, device);
  }

  /** Random token ids. */
  public long[] tokens(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    return random.longs(count, 0, model.config().vocabSize()).toArray();
  }

  /**
   * One forward and one backward pass, with the balance loss where there are experts.
   *
   * @return the losses per token, and the gradient of each parameter, by name
   */
  public Map<String, double[]> train(Recompute recompute, int sequences, int length) {
    Map<String, double[]> results = new LinkedHashMap<>();
    double targets = (double) sequences * (length - 1);
    train(
        recompute,
        sequences,
        length,
        losses -> {
          results.put("loss", new double[] {HostCopy.item(losses.main().value()) / targets});
          for (Variable further : losses.further()) {
            results.put("further loss", HostCopy.doubles(further.value()));
          }
        });
    model
        .parameters()
        .parameters()
        .forEach(p -> results.put(p.name(), HostCopy.doubles(p.gradient())));
    return results;
  }

  /** As {@link #train} but reads nothing back, so that it works on {@code meta} too. */
  public void trainOnly(Recompute recompute, int sequences, int length) {
    train(recompute, sequences, length, _ -> {});
  }

  private void train(
      Recompute recompute, int sequences, int length, Consumer<Losses> beforeBackward) {
    model.parameters().resetGradients();
    try (Scope _ = Scope.open(MemoryOwner.ACTIVATIONS);
        TokenBatch batch = batch(9, sequences, length);
        Tape tape = Tape.recording(recompute)) {
      BalanceLoss balance =
          model.config().moe() == null ? null : new BalanceLoss(0.01 / sequences, length);
      Pass pass = Pass.overSequences(tape, sequences, model.rotary(), balance);
      double perToken = 1.0 / (sequences * (length - 1.0));
      Losses losses = model.losses(pass, batch, new Objective.NextToken(perToken, 0.3));
      beforeBackward.accept(losses);
      tape.backward(losses.all());
    }
    model.parameters().zeroUntouchedGradients();
  }

  @Override
  public void close() {
    model.close();
  }
}
