/**
 * Checkpoints of a run: its whole state on disk, in Hugging Face's form where there is one.
 *
 * <p>Read {@link dev.duoka.train.checkpoint.CheckpointWriter} for saving, {@link
 * dev.duoka.train.checkpoint.CheckpointStore} for finding and checking what is there, and {@link
 * dev.duoka.train.checkpoint.CheckpointReader} for going on from it.
 *
 * <pre>
 * run/checkpoints/step-00000100/
 *   model.safetensors       master weights, fp32, under Hugging Face's names (or shards and an index)
 *   config.json             the model, in Hugging Face's form
 *   tokenizer.json …        the tokenizer's files, if it has any
 *   generation_config.json  at which tokens texts end, if a file beside tokenizer or model said so
 *   optimizer.safetensors   NAME.exp_avg and NAME.exp_avg_sq of every weight, fp32
 *   state.json              step, data, loss scale, seed, which tokenizer
 *   manifest.json           size and SHA-256 of all of these, written last
 * </pre>
 *
 * <p>Several processes write {@code optimizer-00001-of-00002.safetensors} and so on, and as many
 * shards of the weights: each its share of whole tensors.
 *
 * <p>A folder appears under its name when all of it is on disk. Tensors are stored whole, whatever
 * the number of ranks, of processes and the ZeRO stage, so any other number can go on from them.
 */
package dev.duoka.train.checkpoint;
