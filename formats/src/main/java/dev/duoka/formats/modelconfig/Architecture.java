package dev.duoka.formats.modelconfig;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The model families that can be trained, each with Hugging Face's names for it. */
public enum Architecture {
  /** DeepSeek-LLM and DeepSeek-Coder: Llama's layers (arXiv 2401.02954, 2401.14196). */
  LLAMA("llama", "LlamaForCausalLM"),
  /** Qwen2 and Qwen2.5, dense: Llama's layers, biases on queries, keys and values (2412.15115). */
  QWEN2("qwen2", "Qwen2ForCausalLM"),
  /** Qwen3, dense: Llama's layers, each head's query and key normalised (arXiv 2505.09388). */
  QWEN3("qwen3", "Qwen3ForCausalLM"),
  /** DeepSeek-MoE: Llama's attention, fine-grained and shared experts (arXiv 2401.06066). */
  DEEPSEEK_MOE("deepseek", "DeepseekForCausalLM"),
  /** DeepSeek-V2: multi-head latent attention, softmax routing (arXiv 2405.04434). */
  DEEPSEEK_V2("deepseek_v2", "DeepseekV2ForCausalLM"),
  /** DeepSeek-V3: sigmoid routing with bias correction, multi-token prediction (2412.19437). */
  DEEPSEEK_V3("deepseek_v3", "DeepseekV3ForCausalLM");

  /** Models of other names with the layers of one of these: Kimi-K2 is DeepSeek-V3's, resized. */
  private static final Map<String, String> SAME_LAYERS = Map.of("kimi_k2", "deepseek_v3");

  private final String modelType;
  private final String className;

  Architecture(String modelType, String className) {
    this.modelType = modelType;
    this.className = className;
  }

  /** The value of {@code model_type} in {@code config.json}. */
  public String modelType() {
    return modelType;
  }

  /** The value of {@code architectures} in {@code config.json}. */
  public String className() {
    return className;
  }

  /** The architecture with this {@code model_type}, or with the layers of the model it names. */
  public static Optional<Architecture> ofModelType(String modelType) {
    String layers = SAME_LAYERS.getOrDefault(modelType, modelType);
    return Arrays.stream(values()).filter(a -> a.modelType.equals(layers)).findFirst();
  }

  /** Whether it has Llama's layers, perhaps with something of its own inside the attention. */
  public boolean hasLlamaLayers() {
    return this == LLAMA || this == QWEN2 || this == QWEN3;
  }

  /** The {@code model_type}s of all architectures, dense ones first. */
  public static List<String> modelTypes() {
    return Arrays.stream(values()).map(Architecture::modelType).toList();
  }
}
