"""The same requests to the service and to OpenBao, and in what their answers may differ."""
