/**
 * YAML: {@link dev.duoka.formats.yaml.YamlParser} reads a text into a {@link
 * dev.duoka.formats.yaml.YamlTree} that knows where each part stands, for run files, whose errors
 * name lines; {@link dev.duoka.formats.yaml.YamlData} makes of it the fields of a table of facts
 * (hardware, compatibility, rules).
 */
package dev.duoka.formats.yaml;
