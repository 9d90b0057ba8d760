/**
 * What a Hugging Face {@code config.json} says about a DeepSeek model, as immutable records.
 *
 * <p>Read {@link dev.duoka.formats.modelconfig.ModelConfig} first; {@link
 * dev.duoka.formats.modelconfig.ModelConfigReader} makes one from a file, {@link
 * dev.duoka.formats.modelconfig.Presets} from a name, and {@link
 * dev.duoka.formats.modelconfig.ParameterCounts} and {@link
 * dev.duoka.formats.modelconfig.ModelFlops} count the parameters and operations of one, from the
 * products of its layers, {@link dev.duoka.formats.modelconfig.LayerShape}.
 */
package dev.duoka.formats.modelconfig;
