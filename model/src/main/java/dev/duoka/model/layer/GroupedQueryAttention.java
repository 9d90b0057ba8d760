package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Attention;
import dev.duoka.engine.function.GroupedQueryHeads;
import dev.duoka.engine.function.Linear;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightDeclarations;
import dev.duoka.model.weight.WeightDeclarations.Rows;
import dev.duoka.tensor.Tensor;

/** Attention with fewer key and value heads than query heads, and rotary positions. */
public final class GroupedQueryAttention implements SelfAttention {
  private final AttentionConfig.GroupedQuery config;
  private final int layer;
  private final Weight queryKeyValue;
  private final Weight output;

  /** Declares the weights of layer number {@code layer} under the checkpoint's {@code prefix}. */
  public GroupedQueryAttention(
      WeightDeclarations weights,
      String prefix,
      int layer,
      long hiddenSize,
      AttentionConfig.GroupedQuery config) {
    this.config = config;
    this.layer = layer;
    long queryWidth = (long) config.heads() * config.headDim();
    long kvWidth = (long) config.kvHeads() * config.headDim();
    queryKeyValue =
        weights.stackedRows(
            prefix + "qkv_proj.weight",
            hiddenSize,
            new Rows(prefix + "q_proj.weight", queryWidth),
            new Rows(prefix + "k_proj.weight", kvWidth),
            new Rows(prefix + "v_proj.weight", kvWidth));
    output = weights.matrix(prefix + "o_proj.weight", hiddenSize, queryWidth);
  }

  @Override
  public Variable addTo(Variable residual, Pass pass, Variable hidden) {
    Variable joint = pass.tape().apply(new Linear(queryKeyValue.parameter()), hidden);
    Variable[] heads =
        pass.tape()
            .applyAll(
                new GroupedQueryHeads(
                    pass.batch(),
                    config.heads(),
                    config.kvHeads(),
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
    Variable attended = pass.tape().apply(new Attention(1 / Math.sqrt(config.headDim())), heads);
    return pass.tape().apply(new Linear(output.parameter()), attended, residual);
  }
}
