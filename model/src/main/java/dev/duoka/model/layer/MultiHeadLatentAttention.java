package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Attention;
import dev.duoka.engine.function.LatentHeads;
import dev.duoka.engine.function.RmsNorm;
import dev.duoka.engine.function.SplitColumns;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Section;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.RopeScaling;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightDeclarations;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434 §2.1): keys and values come from one
 * compressed vector per token, queries optionally too, and positions from a separate rotated part.
 * When generating, only that vector and the key's rotated part are kept of each token, and are
 * expanded for all tokens at each use: little memory, for more arithmetic.
 */
public final class MultiHeadLatentAttention implements SelfAttention {
  private final AttentionConfig.MultiHeadLatent config;
  private final int layer;
  private final double epsilon;
  private final double scale;
  private final @Nullable Weight queryDown;
  private final @Nullable Weight queryNorm;
  private final Weight queryUp;
  private final Weight keyValueDown;
  private final Weight keyValueNorm;
  private final Weight keyValueUp;
  private final Weight output;

  /** Declares the weights of layer number {@code layer} under the checkpoint's {@code prefix}. */
  public MultiHeadLatentAttention(
      WeightDeclarations weights,
      String prefix,
      int layer,
      long hiddenSize,
      AttentionConfig.MultiHeadLatent config,
      RopeScaling scaling,
      double epsilon) {
    this.config = config;
    this.layer = layer;
    this.epsilon = epsilon;
    this.scale =
        (scaling instanceof RopeScaling.Yarn yarn ? yarn.softmaxScale() : 1)
            / Math.sqrt(config.qkHeadDim());
    Section hidden = Section.of(Axis.HIDDEN, hiddenSize);
    Section queryLatent = Section.of(Axis.LATENT, config.qLoraRank());
    Section queryHeads = new Section(Axis.HEADS, config.heads(), config.qkHeadDim());
    Section latent = Section.of(Axis.LATENT, config.kvLoraRank());
    if (config.compressesQueries()) {
      queryDown = weights.matrix(prefix + "q_a_proj.weight", queryLatent, hidden);
      queryNorm = weights.scale(prefix + "q_a_layernorm.weight", queryLatent);
      queryUp = weights.matrix(prefix + "q_b_proj.weight", queryHeads, queryLatent);
    } else {
      queryDown = null;
      queryNorm = null;
      queryUp = weights.matrix(prefix + "q_proj.weight", queryHeads, hidden);
    }
    keyValueDown =
        weights.matrix(
            prefix + "kv_a_proj_with_mqa.weight",
            Section.of(Axis.LATENT, config.kvLoraRank() + (long) config.qkRopeHeadDim()),
            hidden);
    keyValueNorm = weights.scale(prefix + "kv_a_layernorm.weight", latent);
    keyValueUp =
        weights.matrix(
            prefix + "kv_b_proj.weight",
            new Section(
                Axis.HEADS, config.heads(), config.qkNopeHeadDim() + (long) config.vHeadDim()),
            latent);
    output =
        weights.matrix(
            prefix + "o_proj.weight",
            hidden,
            new Section(Axis.HEADS, config.heads(), config.vHeadDim()));
  }

  @Override
  public Variable addTo(Variable residual, Pass pass, Variable hidden) {
    Tape tape = pass.tape();
    Variable query = hidden;
    if (queryDown != null && queryNorm != null) {
      query = Projection.apply(pass, queryDown, query);
      query = tape.apply(new RmsNorm(queryNorm.parameter(), epsilon), query);
    }
    query = Projection.apply(pass, queryUp, query);

    Variable[] compressed =
        tape.applyAll(
            new SplitColumns(config.kvLoraRank()), Projection.apply(pass, keyValueDown, hidden));
    Variable latent = tape.apply(new RmsNorm(keyValueNorm.parameter(), epsilon), compressed[0]);
    Variable rotatedPart = compressed[1];
    long firstKey = pass.firstPosition();
    KeyValueCache cache = pass.cache();
    if (cache != null) {
      Tensor[] all = kept(cache, pass, latent.value(), rotatedPart.value());
      latent = Variable.constant(all[0]);
      rotatedPart = Variable.constant(all[1]);
      firstKey = 0;
    }
    Variable keyValue = Projection.apply(pass, keyValueUp, latent);

    Variable[] heads =
        tape.applyAll(
            new LatentHeads(
                pass.batch(),
                config.qkNopeHeadDim(),
                config.qkRopeHeadDim(),
                config.vHeadDim(),
                pass.rotary(),
                pass.firstPosition(),
                firstKey),
            query,
            keyValue,
            rotatedPart);
    Variable attended = tape.apply(new Attention(scale, pass.documents()), heads);
    return Projection.apply(pass, output, attended, residual);
  }

  /** Puts {@code [b·t, w]} of the new tokens into the cache and gets it of all, in that shape. */
  private Tensor[] kept(KeyValueCache cache, Pass pass, Tensor... added) {
    Tensor[] perSequence = new Tensor[added.length];
    for (int i = 0; i < added.length; i++) {
      perSequence[i] = Views.reshape(Views.dense(added[i]), pass.batch(), -1, added[i].size(1));
    }
    Tensor[] all = cache.append(layer, pass.firstPosition(), 1, perSequence);
    for (int i = 0; i < all.length; i++) {
      all[i] = Views.reshape(Views.dense(all[i]), -1, all[i].size(2));
    }
    return all;
  }
}
