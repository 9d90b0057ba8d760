package dev.duoka.cli.command;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.function.BalanceLoss;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.optimizer.ShardedAdamW;
import dev.duoka.engine.parallel.SingleRank;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Layout;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.LossWeights;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.TokenBatch;
import dev.duoka.model.layer.Pass;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import java.util.EnumMap;
import java.util.Map;

/**
 * One micro-batch and one update of a planned layout on {@code meta}: the real code, with shapes
 * alone, and what the memory ledger booked at the peak.
 */
final class DryRun {
  private DryRun() {}

  /** Bytes by owner at the peak of a rank; optimizer states are those of its ZeRO shard. */
  static Map<MemoryOwner, Long> count(ModelConfig config, Layout layout, int length) {
    MemoryLedger ledger = MemoryLedger.of(Device.META);
    int depth = config.mtpModules();
    try (LanguageModel model =
            ModelFactory.create(
                config,
                new ModelFactory.Allocation(
                    new PrecisionPolicy(layout.precision()).computeDtype(),
                    Device.META,
                    layout.data(),
                    true,
                    length,
                    depth));
        ShardedAdamW optimizer =
            new ShardedAdamW(
                model.parameters(),
                new SingleRank(),
                new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
                0)) {
      // Twice: the first step also makes what lasts, the experts' load counts for example.
      step(model, optimizer, layout, length);
      ledger.resetPeak();
      step(model, optimizer, layout, length);
      return shard(ledger.peakByOwner(), layout);
    }
  }

  private static void step(LanguageModel model, ShardedAdamW optimizer, Layout layout, int length) {
    int sequences = layout.microBatch();
    model.parameters().resetGradients();
    long[] tokens = new long[sequences * length];
    try (Scope _ = Scope.open(MemoryOwner.ACTIVATIONS);
        TokenBatch batch =
            new TokenBatch(tokens, tokens, sequences, model.predictionDepth(), Device.META);
        Tape tape = Tape.recording(layout.recompute())) {
      BalanceLoss balance =
          model.config().moe() == null ? null : new BalanceLoss(0.01 / sequences, length);
      Pass pass = Pass.overSequences(tape, sequences, model.rotary(), balance);
      tape.backward(model.losses(pass, batch, new LossWeights(1.0 / tokens.length, 0.3)).all());
    }
    model.parameters().zeroUntouchedGradients();
    optimizer.step(1e-3, 1);
  }

  private static Map<MemoryOwner, Long> shard(Map<MemoryOwner, Long> bytes, Layout layout) {
    Map<MemoryOwner, Long> sharded = new EnumMap<>(MemoryOwner.class);
    bytes.forEach(
        (owner, value) -> {
          boolean state = owner == MemoryOwner.OPTIMIZER || owner == MemoryOwner.MASTER_WEIGHTS;
          sharded.put(owner, state && layout.zero() > 0 ? value / layout.data() : value);
        });
    return sharded;
  }
}
