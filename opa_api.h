/*
 * The functions of opa.stub.php.
 */
#ifndef OPA_API_H
#define OPA_API_H

/* MINIT: makes the strings that the functions hand out. */
void opa_api_startup(void);

#endif
