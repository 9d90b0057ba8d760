/**
 * Tables of facts as YAML (hardware, compatibility, rules): {@link dev.duoka.formats.yaml.YamlData}
 * reads them. Run files, whose errors name lines and nearest names, have their own reader.
 */
package dev.duoka.formats.yaml;
