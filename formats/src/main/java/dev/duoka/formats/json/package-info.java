/**
 * JSON with errors made for users: {@link dev.duoka.formats.json.Json} parses and prints, {@link
 * dev.duoka.formats.json.JsonFields} reads the fields of an object.
 */
package dev.duoka.formats.json;
