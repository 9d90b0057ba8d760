/**
 * Safetensors, the format of model weights: named arrays of numbers in one file or several.
 *
 * <p>Read {@link dev.duoka.formats.safetensors.SafetensorsFile} and {@link
 * dev.duoka.formats.safetensors.SafetensorsWriter} for one file, {@link
 * dev.duoka.formats.safetensors.SafetensorsFolder} and {@link
 * dev.duoka.formats.safetensors.SafetensorsFolderWriter} for a model's folder with its shards.
 *
 * <p>A file is a little-endian 64-bit header length, a JSON header (name to dtype, shape and byte
 * range; {@code __metadata__} to strings), then the arrays, little-endian and row-major, without
 * gaps. Source: the format's description in the safetensors repository.
 */
package dev.duoka.formats.safetensors;
