SELECT
  INVOICE_NO,
  UPPER(STOCK_CODE) AS STOCK_CODE,
  -- Remarks of the staff stand where the description should.
  IFF(DESCRIPTION = UPPER(DESCRIPTION) AND DESCRIPTION <> '?', TRIM(DESCRIPTION), NULL) AS DESCRIPTION,
  QUANTITY,
  INVOICE_DATE AS INVOICED_AT,
  UNIT_PRICE,
  CAST(QUANTITY * UNIT_PRICE AS NUMBER(16, 2)) AS AMOUNT,
  CUSTOMER_ID,
  NULLIF(COUNTRY, 'Unspecified') AS COUNTRY,
  INVOICE_NO LIKE 'C%' AS IS_RETURN,
  -- Postage, bank charges, vouchers and corrections have codes too, which do not begin with five digits.
  REGEXP_LIKE(STOCK_CODE, '[0-9]{5}[A-Za-z]*') AS IS_PRODUCT
FROM {{ source('staging_clr', 'ONLINE_RETAIL') }}
WHERE NOT _FIRN_DELETED
