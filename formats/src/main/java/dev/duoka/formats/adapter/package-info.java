/**
 * What PEFT's {@code adapter_config.json} says of an adapter, as an immutable record: {@link
 * dev.duoka.formats.adapter.AdapterConfig}. {@link dev.duoka.formats.adapter.AdapterConfigFile}
 * reads and writes it.
 */
package dev.duoka.formats.adapter;
