package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.AddBias;
import dev.duoka.engine.function.Attention;
import dev.duoka.engine.function.GroupedQueryHeads;
import dev.duoka.engine.function.HeadNorms;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Section;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightDeclarations;
import dev.duoka.model.weight.WeightDeclarations.Rows;
import dev.duoka.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Attention with fewer key and value heads than query heads, and rotary positions; with biases or
 * norms of heads where the model has them.
 */
public final class GroupedQueryAttention implements SelfAttention {
  private final AttentionConfig.GroupedQuery config;
  private final int layer;
  private final Weight queryKeyValue;
  private final @Nullable Weight bias;
  private final @Nullable Weight queryNorm;
  private final @Nullable Weight keyNorm;
  private final Weight output;
  private final double epsilon;

  /** Declares the weights of layer number {@code layer} under the checkpoint's {@code prefix}. */
  public GroupedQueryAttention(
      WeightDeclarations weights,
      String prefix,
      int layer,
      long hiddenSize,
      double epsilon,
      AttentionConfig.GroupedQuery config) {
    this.config = config;
    this.epsilon = epsilon;
    this.layer = layer;
    Section hidden = Section.of(Axis.HIDDEN, hiddenSize);
    Section heads = new Section(Axis.HEADS, config.heads(), config.headDim());
    Section kvHeads = new Section(Axis.KEY_VALUE_HEADS, config.kvHeads(), config.headDim());
    queryKeyValue =
        weights.stackedRows(
            prefix + "qkv_proj.weight",
            hidden,
            new Rows(prefix + "q_proj.weight", heads),
            new Rows(prefix + "k_proj.weight", kvHeads),
            new Rows(prefix + "v_proj.weight", kvHeads));
    bias =
        config.bias()
            ? weights.bias(
                prefix + "qkv_proj.bias",
                new Rows(prefix + "q_proj.bias", heads),
                new Rows(prefix + "k_proj.bias", kvHeads),
                new Rows(prefix + "v_proj.bias", kvHeads))
            : null;
    Section width = Section.of(Axis.HEAD_WIDTH, config.headDim());
    queryNorm = config.headNorms() ? weights.scale(prefix + "q_norm.weight", width) : null;
    keyNorm = config.headNorms() ? weights.scale(prefix + "k_norm.weight", width) : null;
    output = weights.matrix(prefix + "o_proj.weight", hidden, heads);
  }

  @Override
  public Variable addTo(Variable residual, Pass pass, Variable hidden) {
    Variable joint = prepared(pass, Projection.apply(pass, queryKeyValue, hidden));
    Variable[] heads =
        pass.tape()
            .applyAll(
                new GroupedQueryHeads(
                    pass.batch(),
                    config.heads() / config.kvHeads(),
                    config.headDim(),
                    pass.rotary(),
                    pass.firstPosition()),
                joint);
    KeyValueCache cache = pass.cache();
    if (cache != null) {
      Tensor[] all =
          cache.append(layer, pass.firstPosition(), 2, heads[1].value(), heads[2].value());
      heads[1] = Variable.constant(all[0]);
      heads[2] = Variable.constant(all[1]);
    }
    Variable attended =
        pass.tape().apply(new Attention(1 / Math.sqrt(config.headDim()), pass.documents()), heads);
    return Projection.apply(pass, output, attended, residual);
  }

  /** With what Qwen2 and Qwen3 do to queries, keys and values before they are rotated. */
  private Variable prepared(Pass pass, Variable joint) {
    Variable result = joint;
    if (bias != null) {
      result = pass.tape().apply(new AddBias(bias.parameter()), result);
    }
    if (queryNorm != null && keyNorm != null) {
      int queriesPerKey = config.heads() / config.kvHeads();
      result =
          pass.tape()
              .apply(
                  new HeadNorms(
                      queryNorm.parameter(),
                      keyNorm.parameter(),
                      epsilon,
                      queriesPerKey,
                      config.headDim()),
                  result);
    }
    return result;
  }
}
