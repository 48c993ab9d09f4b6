/*
 * The version, in one place: of the module, of the exporter, and of the scope that made the spans.
 */
#ifndef OPA_VERSION_H
#define OPA_VERSION_H

#define OPA_VERSION_TEXT "0.1.0"

#endif
